"""The two languages that planners read: names of classes, profiles and groups in each."""

from __future__ import annotations

from typing import Literal, TypeAlias

from walkshed.facilities import facility_classes

Language: TypeAlias = Literal["zh", "en"]

_LANGUAGES: dict[str, Language] = {"zh": "zh", "en": "en"}

#: Profiles that come with walkshed; others keep the name that their study gives them.
_PROFILES: dict[str, dict[Language, str]] = {
    "adult": {"zh": "成年人", "en": "adult"},
    "senior": {"zh": "老年人", "en": "senior"},
    "child": {"zh": "儿童", "en": "child"},
    "stroller": {"zh": "推婴儿车", "en": "stroller"},
    "wheelchair": {"zh": "轮椅使用者", "en": "wheelchair"},
}

#: Population groups that walkshed's own data use; others keep the name of their column.
_GROUPS: dict[str, dict[Language, str]] = {
    "all": {"zh": "全体居民", "en": "everybody"},
    "infant_0_2": {"zh": "0–2 岁婴幼儿", "en": "infants 0–2"},
    "preschool_3_5": {"zh": "3–5 岁学龄前儿童", "en": "preschool 3–5"},
    "primary_6_11": {"zh": "6–11 岁小学生", "en": "primary 6–11"},
    "junior_12_14": {"zh": "12–14 岁初中生", "en": "junior 12–14"},
    "child_0_14": {"zh": "0–14 岁儿童", "en": "children 0–14"},
    "senior_60_plus": {"zh": "60 岁及以上老年人", "en": "seniors 60+"},
    "mobility_limited": {"zh": "行动不便者", "en": "people of limited mobility"},
}

#: What else tables say in one word each.
_WORDS: dict[str, dict[str, dict[Language, str]]] = {
    "status": {
        "pass": {"zh": "达标", "en": "pass"},
        "partial": {"zh": "部分达标", "en": "partial"},
        "fail": {"zh": "未达标", "en": "fail"},
        "unknown": {"zh": "情况不明", "en": "unknown"},
        "not_applicable": {"zh": "不适用", "en": "not applicable"},
    },
    "level": {
        "estate": {"zh": "小区", "en": "estate"},
        "community": {"zh": "社区", "en": "community"},
        "subdistrict": {"zh": "街道", "en": "subdistrict"},
        "district": {"zh": "片区", "en": "district"},
        "city": {"zh": "城市", "en": "city"},
    },
    "grade": {
        "complete": {"zh": "完整", "en": "complete"},
        "basically_complete": {"zh": "基本完整", "en": "basically complete"},
        "gap": {"zh": "存在短板", "en": "has gaps"},
        "undecided": {"zh": "等级待定", "en": "undecided"},
    },
    "rule": {
        "presence": {"zh": "设施数量", "en": "number of facilities"},
        "variety": {"zh": "种类", "en": "variety"},
        "count_per": {"zh": "千人（户）设施数", "en": "facilities per people"},
        "capacity_per": {"zh": "千人（户）容量", "en": "capacity per people"},
        "area_per": {"zh": "千人（户）面积", "en": "area per people"},
        "coverage_share": {"zh": "步行覆盖率", "en": "coverage"},
        "floor_area": {"zh": "建筑面积", "en": "floor area"},
        "land_area": {"zh": "用地面积", "en": "land area"},
        "attribute": {"zh": "设施规模", "en": "size of a facility"},
        "ratio": {"zh": "比例", "en": "ratio"},
        "manual": {"zh": "现场核查", "en": "looked at in place"},
        "survey": {"zh": "居民调查", "en": "survey of residents"},
        "any_of": {"zh": "任一满足", "en": "any of several"},
        "all_of": {"zh": "全部满足", "en": "all of several"},
    },
    "state": {
        "open": {"zh": "已开放", "en": "open"},
        "planned": {"zh": "规划", "en": "planned"},
        "building": {"zh": "在建", "en": "under construction"},
        "closed": {"zh": "已关停", "en": "closed"},
        "unknown": {"zh": "不明", "en": "unknown"},
    },
    "edit": {
        "open_facility": {"zh": "新增设施", "en": "new facility"},
        "close_facility": {"zh": "关停设施", "en": "closed facility"},
        "move_facility": {"zh": "迁移设施", "en": "moved facility"},
        "resize_facility": {"zh": "调整规模", "en": "resized facility"},
        "add_link": {"zh": "新增连接", "en": "new link"},
        "close_link": {"zh": "关闭道路", "en": "closed way"},
        "open_link": {"zh": "重新开放道路", "en": "reopened way"},
        "retime_link": {"zh": "调整通行时间", "en": "retimed way"},
        "new_homes": {"zh": "新增住户", "en": "new homes"},
        "set_area": {"zh": "调整分区边界", "en": "redrawn area"},
    },
    "unit": {
        "classes": {"zh": "班", "en": "classes"},
    },
    "stage": {
        "declared": {"zh": "申报", "en": "declared"},
        "approved": {"zh": "批复", "en": "approved"},
        "building": {"zh": "在建", "en": "building"},
        "completed": {"zh": "竣工", "en": "completed"},
        "accepted": {"zh": "验收", "en": "accepted"},
    },
    "reason": {
        "beyond_cutoff": {"zh": "超出时限", "en": "beyond the cut-off"},
        "not_connected": {"zh": "路网不连通", "en": "not connected"},
        "not_snapped": {"zh": "附近无道路", "en": "no street near"},
        "no_site_in_reach": {"zh": "可达范围内无选址", "en": "no site in reach"},
        "not_chosen": {"zh": "未获选址服务", "en": "not chosen"},
        "full": {"zh": "容量已满", "en": "full"},
    },
    "way": {
        "street": {"zh": "道路", "en": "streets"},
        "footway": {"zh": "步行道", "en": "footways"},
        "steps": {"zh": "梯道", "en": "stairs"},
        "escalator": {"zh": "自动扶梯", "en": "escalators"},
        "lift": {"zh": "电梯", "en": "lifts"},
        "cableway": {"zh": "索道", "en": "cableways"},
        "ferry": {"zh": "轮渡", "en": "ferries"},
        "square": {"zh": "广场", "en": "squares"},
        "crossing": {"zh": "过街", "en": "crossings"},
        "corridor": {"zh": "室内通道", "en": "corridors"},
        "platform": {"zh": "站台", "en": "platforms"},
        "off_street": {"zh": "路外", "en": "off street"},
    },
}


def language_of(text: str) -> Language:
    """The language that a word names.

    Args:
        text: "zh" or "en".

    Returns:
        The same.

    Raises:
        ValueError: any other.

    """
    if text not in _LANGUAGES:
        raise ValueError(f'language "{text}": use "zh" (Chinese) or "en" (English)')
    return _LANGUAGES[text]


def class_names(language: Language) -> dict[str, str]:
    """Names of the classes of the catalogue, by id; classes of a user's own have none."""
    column = "name_zh" if language == "zh" else "name_en"
    return dict(facility_classes().select("class", column).iter_rows())


def class_name(name: str, language: Language) -> str:
    """The name of a class; of several joined by `|` all of them; the id where the catalogue does not know it."""
    names = class_names(language)
    return (" / " if language == "en" else "、").join(names.get(part, part) for part in name.split("|"))


def profile_name(profile: str, language: Language) -> str:
    """Who walks; a profile of a study's own keeps its name."""
    return _PROFILES.get(profile, {}).get(language, profile)


def group_name(group: str, language: Language) -> str:
    """Whose coverage it is; a column of a study's own keeps its name."""
    return _GROUPS.get(group, {}).get(language, group)


def word(kind: str, name: str | None, language: Language) -> str:
    """What tables say in one word, in a language.

    Args:
        kind: "status", "level", "grade", "rule", "state", "edit", "unit", "stage", "reason" or "way".
        name: as it stands in tables; None gives a dash.
        language: of the word.

    Returns:
        The word; the name itself where there is none, as for grades of a standard of a user's own.

    """
    return "–" if name is None else _WORDS[kind].get(name, {}).get(language, name)
