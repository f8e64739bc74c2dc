"""All that a report says, in Chinese and English: one entry, two languages, values by name."""

from __future__ import annotations

from walkshed.language import Language

_WORDS: dict[str, tuple[str, str]] = {
    # The title page and what stands around every page.
    "title": ("社区公共服务设施步行可达性评估报告", "Walking access to community facilities: a city report"),
    "banner": (
        "SYNTHETIC 合成数据：本文件所有数据均为虚构，不得用于决策。",
        "SYNTHETIC 合成数据: everything in this document is made up; decide nothing on it.",
    ),
    "footer": ("{name} · walkshed {version}", "{name} · walkshed {version}"),
    "study": ("研究名称", "Study"),
    "day": ("资料日期", "Facilities as of"),
    "no_day": ("研究文件未注明", "not stated in the study"),
    "people": ("居住人口（人）", "Residents (people)"),
    "made_by": ("编制单位", "Prepared by"),
    "version": ("计算软件", "Computed with"),
    "contents": ("目录", "Contents"),
    "table": ("表 {number}", "Table {number}"),
    "figure": ("图 {number}", "Figure {number}"),
    "page": ("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"),
    "more_rows": (
        "此处列出前 {shown} 行，共 {rows} 行；全部见数据表（xlsx）。",
        "The first {shown} of {rows} rows; all are in the workbook.",
    ),
    # 1 Summary.
    "summary": ("摘要", "Summary"),
    "key_figures": ("主要指标", "Key figures"),
    "indicator": ("指标", "Indicator"),
    "value": ("数值", "Value"),
    "key_communities": ("社区（个）", "Communities"),
    "key_facilities": ("计入的已开放设施（处）", "Open facilities counted"),
    "key_classes": ("设施类别（类）", "Classes of facilities"),
    "key_streets": ("可步行道路（公里）", "Walkable streets (km)"),
    "key_mean": (
        "各类设施 {minutes} 分钟覆盖率的均值（%）",
        "Mean of the shares of all classes within {minutes} min (%)",
    ),
    "key_lowest": ("覆盖率最低的设施：{name}（%）", "Class that fewest people reach: {name} (%)"),
    "key_score": ("社区得分（已知部分）的中位数", "Median score of communities, of what is known"),
    "finding_lowest": (
        "覆盖率最低的是{name}：{minutes} 分钟内可步行到达的居民占 {share}，尚有 {people} 人不能到达。",
        "Fewest people reach {name}: {share} within {minutes} minutes; {people} people do not.",
    ),
    "finding_highest": (
        "覆盖率最高的是{name}，为 {share}。",
        "Most people reach {name}: {share}.",
    ),
    "finding_below_half": (
        "{count} 类设施在 {minutes} 分钟内覆盖不到一半居民：{names}。",
        "{count} classes are within {minutes} minutes of less than half of the people: {names}.",
    ),
    "finding_below_half_among": (
        "{count} 类设施在 {minutes} 分钟内覆盖不到一半居民，最低的是{names}。",
        "{count} classes are within {minutes} minutes of less than half of the people, the fewest of all: {names}.",
    ),
    "finding_slow": (
        "对{profile}而言，{minutes} 分钟覆盖率均值为 {other}（{who}为 {first}）；速度不同，梯道等路段也可能不能通行。",
        "For {profile}, the mean share within {minutes} minutes is {other} ({who}: {first}): they walk at another "
        "pace, and ways such as stairs may be closed to them.",
    ),
    "finding_cut_off": (
        "对{profile}而言，{people} 人从住处无路可通任何一处{name}，无论多远；此类别不连通的人数最多。均计为不能到达。",
        "For {profile}, {people} people have no way that can be used to any facility of the class {name}, however "
        "far: of all classes, the most. They count as not reaching.",
    ),
    "finding_unsnapped": (
        "对{profile}而言，{people} 人居住的地方附近没有可走的道路资料，计为不能到达；请核对路网范围是否覆盖全部人口。",
        "For {profile}, {people} people live where the data have no street near that can be walked; they count as not "
        "reaching. See whether the streets cover all of the people.",
    ),
    "finding_scores": (
        "评分的 {count} 个社区中，{grades}；等级为“待定”表示尚不明的情况决定其等级。",
        "Of {count} communities scored: {grades}. A grade is undecided where what is unknown decides it.",
    ),
    "undecided": ("待定", "undecided"),
    "finding_unknown": (
        "{share} 的评分点情况不明，需要现场调查；情况不明不等于不达标。",
        "{share} of the points are unknown and need a survey; unknown is not the same as failed.",
    ),
    "how_to_read": ("怎样读本报告", "How to read this report"),
    "read_share": (
        "覆盖率：在规定分钟数内，沿步行路网可到达最近一处该类设施的居民占全部居民的比例。",
        "Share: people who reach the nearest facility of a class along the walking network within the minutes "
        "given, of all people.",
    ),
    "read_share_from": (
        "覆盖率：在规定分钟数内，可从最近一处该类设施沿步行路网走到住处的居民占全部居民的比例（本研究的方向为自设施出发）。",
        "Share: people whom a walk from the nearest facility of a class reaches within the minutes given, along the "
        "walking network, of all people. This study walks from facilities.",
    ),
    "read_minutes": (
        "除另有说明外，按{profile}步行 {minutes} 分钟计算；时间包括住处与道路之间、道路与设施入口之间的路段。",
        "Unless it says otherwise, {profile} walks for {minutes} minutes; the ways between home and street, and "
        "between street and door, count.",
    ),
    "read_unknown": (
        "“–”表示没有数据，不表示 0。得分写作区间：低值把不明的算作没有，高值把不明的算作达标。",
        "A dash is not known; it is never 0. Scores are intervals: the low end gives nothing for what is "
        "unknown, the high end everything.",
    ),
    "read_numbers": (
        "人数由网格人口汇总得来，四舍五入到人；各项相加与合计可能相差 1。",
        "People are summed over cells and rounded; sums may differ by 1 from their total.",
    ),
    # 2 Standards.
    "standards": ("服务标准", "Service standards"),
    "standards_text": (
        "下表为各类设施的服务层级与建议步行时间。除另有出处外，步行时间为本软件目录的建议值，应以当地现行标准为准。",
        "Levels and walks that the catalogue proposes for each class. They are proposals where no source is "
        "named: the standard in force where you are decides.",
    ),
    "standards_table": ("各类设施的服务层级与步行时间", "Level and walk of each class"),
    "class": ("设施类别", "Class"),
    "level": ("服务层级", "Level"),
    "walk_min": ("建议步行时间（分钟）", "Proposed walk (min)"),
    "level_min": ("层级步行时间（分钟）", "Walk of the level (min)"),
    "radius_m": ("层级服务半径（米）", "Radius of the level (m)"),
    "source": ("出处", "Source"),
    "sources_note": (
        "出处代码（S:…）的全称见 walkshed 的 docs/standards.md 与数据目录。",
        "Codes (S:…) are those of walkshed's data files of standards.",
    ),
    "rules_note": (
        "出处：K 为标准文本的要求；S:… 为所注文件；D 为本软件提出的取值，应由编制单位确认；"
        "ramp 指由零分到满分的折算区间，principle 指原则性要求。代码全称见 walkshed 的 docs/standards.md。",
        "Sources: K is what the text of the standard asks for; S:… is the document named; D is proposed by walkshed "
        "and is to be confirmed; a ramp leads from no score to the full one, a principle is asked for without number. "
        "Codes: docs/standards.md of walkshed.",
    ),
    "rules_table": ("评分所依据的条目与出处：{name}", "Items of the scorecard and their sources: {name}"),
    "rules_sheet": ("评分条目与出处", "Items and sources"),
    "item": ("条目", "Item"),
    "must_points": ("必须项（个）", "Must"),
    "should_points": ("宜设项（个）", "Should"),
    "worth": ("分值", "Worth"),
    # 3 Coverage.
    "coverage": ("步行覆盖率", "Coverage"),
    "coverage_city": ("全市", "The whole city"),
    "coverage_table": ("各类设施的步行覆盖率（{profile}）", "People who reach each class ({profile})"),
    "facilities_count": ("设施（处）", "Facilities"),
    "share_in": ("{minutes} 分钟（%）", "{minutes} min (%)"),
    "people_in": ("{minutes} 分钟（人）", "{minutes} min (people)"),
    "coverage_figure": ("各类设施的步行覆盖率（{profile}，%）", "People who reach each class ({profile}, %)"),
    "minutes_label": ("{minutes} 分钟", "{minutes} min"),
    "profiles_table": ("不同人群的 {minutes} 分钟覆盖率", "Shares within {minutes} min by who walks"),
    "by_level": ("按{level}比较", "By {level}"),
    "by_level_table": (
        "各{level}的 {minutes} 分钟覆盖率：均值与全市最低的几类设施",
        "Shares within {minutes} min by {level}: mean, and the classes that fewest reach",
    ),
    "area": ("分区", "Area"),
    "area_people": ("人口（人）", "People"),
    "mean": ("均值（%）", "Mean (%)"),
    "class_share": ("{name}（%）", "{name} (%)"),
    "areas": ("分区", "areas"),
    "by_community": ("社区之间的差别", "Between communities"),
    "extremes_table": (
        "各类设施覆盖率最低与最高的社区（{minutes} 分钟）",
        "Communities with the lowest and the highest share of each class ({minutes} min)",
    ),
    "lowest": ("最低", "Lowest"),
    "lowest_share": ("最低（%）", "Lowest (%)"),
    "highest": ("最高", "Highest"),
    "highest_share": ("最高（%）", "Highest (%)"),
    "median_share": ("中位数（%）", "Median (%)"),
    "extremes_note": (
        "只比较有人口的社区；并列时取编号在前者。",
        "Among communities with people; of equals the first by id.",
    ),
    "spread_figure": (
        "社区按各类设施 {minutes} 分钟覆盖率均值的分布",
        "Communities by their mean share over all classes within {minutes} min",
    ),
    "communities_count": ("社区（个）", "Communities"),
    # 4 Who is left out.
    "left_out": ("谁未被覆盖", "Who is left out"),
    "reasons_table": (
        "{minutes} 分钟内不能到达的居民及原因（{profile}）",
        "Who does not reach within {minutes} min, and why ({profile})",
    ),
    "beyond": ("超出时间（人）", "Too far (people)"),
    "not_connected": ("路网不连通（人）", "No way there (people)"),
    "not_snapped": ("附近无道路（人）", "No street near (people)"),
    "left_people": ("合计（人）", "Together (people)"),
    "left_share": ("占居民（%）", "Of people (%)"),
    "groups_table": (
        "不同群体的 {minutes} 分钟覆盖率：全市最低的几类设施",
        "Shares of groups within {minutes} min: the classes that fewest reach",
    ),
    "group": ("群体", "Group"),
    "group_people": ("人数（人）", "People"),
    # 5 Maps.
    "maps": ("地图", "Maps"),
    "map_note": (
        "示意图，不作行政界线依据。审图号：＿＿＿＿＿＿＿＿",
        "A sketch; borders on it decide nothing.",
    ),
    "minutes_map": (
        "{name}：步行时间（{profile}）。{minutes} 分钟覆盖 {share} 的居民",
        "{name}: walking time ({profile}). {share} of people within {minutes} min",
    ),
    "near": ("≤ {minutes} 分钟", "≤ {minutes} min"),
    "between": ("{low}–{high} 分钟", "{low}–{high} min"),
    "not_reached": ("超过 {minutes} 分钟或不能到达", "over {minutes} min or no way"),
    "door": ("设施", "facility"),
    "border": ("社区边界", "community border"),
    "coverage_map": (
        "各社区的覆盖率均值（{minutes} 分钟，{profile}）",
        "Mean share of each community ({minutes} min, {profile})",
    ),
    "score_map": ("各社区的得分（已知部分）", "Score of each community, of what is known"),
    "no_data": ("无数据", "no data"),
    # 6 Scores.
    "scores": ("社区体检评分", "Scorecard of communities"),
    "scores_by": (
        "评分依据：{name}（{status}）。",
        "Scored by: {name} ({status}).",
    ),
    "scores_text": (
        "每个社区按标准的条目逐点评分。得分是区间：低值把不明的算作没有，高值把不明的算作达标；“已知部分”只看已知的评分点。权重与等级的出处见标准文件。",
        "Each community is held against the points of the standard. A score is an interval: the low end gives "
        "nothing for what is unknown, the high end everything; the third number looks at known points alone. "
        "Where weights and grades come from stands in the standard's file.",
    ),
    "grades_table": ("社区等级", "Grades of communities"),
    "grade": ("等级", "Grade"),
    "share_of_communities": ("占社区（%）", "Of communities (%)"),
    "scores_figure": ("社区按得分（已知部分）的分布", "Communities by score, of what is known"),
    "score": ("得分", "Score"),
    "categories_table": ("各类别得分占分值的比例", "Scores by category, of what it is worth"),
    "category": ("类别", "Category"),
    "items_in": ("所含条目", "Items"),
    "low_mean": ("低值均值（%）", "Mean low end (%)"),
    "high_mean": ("高值均值（%）", "Mean high end (%)"),
    "items_table": ("各条目达标情况（社区个数）", "Items by status (communities)"),
    "communities_table": ("得分最低的社区", "Communities with the lowest scores"),
    "community": ("社区", "Community"),
    "community_id": ("编号", "Id"),
    "low": ("低值", "Low"),
    "high": ("高值", "High"),
    "observed": ("已知部分", "Of what is known"),
    "weakest": ("最弱类别", "Weakest category"),
    # 7 Gaps.
    "gaps": ("缺口：需要做什么", "Gaps: what it would take"),
    "gaps_text": (
        "下表把各社区未达标评分点的最小缺口按条目汇总：补上它，该点即达标。情况不明的评分点没有缺口数，不在其中；缺口之间可能重叠，不能直接相加为投资。",
        "The least that would make failing points pass, summed by item over communities. Points that are "
        "unknown have no gap and are not counted; gaps may overlap, so their sum is no budget.",
    ),
    "gaps_table": ("各条目的缺口", "Gaps by item"),
    "kind": ("规则", "Rule"),
    "rule": ("评分点", "Point"),
    "gap": ("缺口", "Gap"),
    "unit": ("单位", "Unit"),
    # 8 Scenarios.
    "scenarios": ("情景方案", "Scenarios"),
    "scenarios_table": ("各方案的受益与受损居民（全市）", "Who gains and who loses in the whole city"),
    "scenario": ("方案", "Scenario"),
    "profile": ("人群", "Who walks"),
    "cost_yuan": ("造价（元）", "Cost (yuan)"),
    "gaining": ("受益（人）", "Gain (people)"),
    "losing": ("受损（人）", "Lose (people)"),
    "saved": ("节省（人·分钟）", "Saved (people × min)"),
    "newly_table": ("新覆盖的居民（{minutes} 分钟）", "People newly covered ({minutes} min)"),
    "newly_sheet": ("新覆盖居民", "Newly covered"),
    "told_missing_nodes": ("道路引用了资料中没有的节点", "ways that refer to nodes the data lack"),
    "told_no_homes": ("分区内没有可分配人口的住处", "areas without homes to give people to"),
    "told_people_spread": ("人口按住宅建筑、道路或面积分配", "people spread by buildings, streets or area"),
    "told_unknown_class": ("类别不在目录中", "classes that the catalogue lacks"),
    "told_not_open": ("设施未开放，不计入覆盖率", "facilities that are not open; they do not count"),
    "told_gap_between_areas": ("分区之间有空隙", "areas leave a gap between them"),
    "told_areas_overlap": ("分区相互重叠", "areas overlap"),
    "told_outside_parent": ("分区超出上级范围", "areas reach beyond the one above"),
    "told_slivers": ("分区边界有细缝", "slivers between areas"),
    "told_missing_name": ("缺少名称", "no name"),
    "told_duplicate_name": ("名称重复", "names that stand twice"),
    "told_possible_duplicate": ("可能重复的设施", "facilities that may be one"),
    "covered_before": ("现状（人）", "Now (people)"),
    "covered_after": ("方案（人）", "Then (people)"),
    "newly": ("新覆盖（人）", "Newly (people)"),
    "no_longer": ("不再覆盖（人）", "No longer (people)"),
    "of_movers": ("覆盖的新增居民（人）", "Of those who move in (people)"),
    "share_before": ("现状（%）", "Now (%)"),
    "share_after": ("方案（%）", "Then (%)"),
    "scenarios_note": (
        "造价为方案全部措施之和，未注明造价的措施不计；同一方案在各行重复列出。",
        "The cost is that of all edits of a scenario that state one; it stands in each row of it.",
    ),
    "newly_note": (
        "全市汇总，每个网格只计一次。“新覆盖”“不再覆盖”只计现有居民；“现状（%）”以现有居民为分母，“方案（%）”以现有居民与新增居民之和为分母。",
        "The whole city, each cell once. Newly and no longer are of those who live there now; the share now is of "
        "them, the share then of them and of those who move in.",
    ),
    "movers_note": ("{name}：新增居民 {people} 人。", "{name}: {people} people move in."),
    # 9 Data.
    "data": ("数据与处理", "Data"),
    "inputs_table": ("输入文件", "Input files"),
    "file": ("文件", "File"),
    "bytes": ("大小（字节）", "Size (bytes)"),
    "sha256": ("SHA-256 校验值", "SHA-256"),
    "not_open_table": ("未计入的设施（按状态）", "Facilities that are not open, not counted"),
    "state": ("状态", "State"),
    "streets_table": ("路网", "Network"),
    "way": ("道路类型", "Kind of way"),
    "length_km": ("长度（公里）", "Length (km)"),
    "rejected_table": ("未采用的记录（按原因）", "Rows that were left out, by reason"),
    "told_table": ("提示的记录（已采用，按原因）", "Rows that were told of, by reason"),
    "reason": ("原因代码", "Reason"),
    "rows": ("行", "Rows"),
    "example": ("说明", "What it is"),
    "rejected_scores_table": ("评分资料中未采用的记录（按原因）", "Rows left out for the scorecard, by reason"),
    "nothing_rejected": ("没有记录被排除。", "No row was left out."),
    "people_table": ("人口", "People"),
    "stated": ("资料所载人口（人）", "As stated (people)"),
    "in_cells": ("计入网格的人口（人）", "In cells (people)"),
    "outside": ("在所有分区之外的人口（人）", "Outside every area (people)"),
    "unsnapped": ("附近没有道路的人口（人）", "With no street near (people)"),
    # 10 Method.
    "method": ("方法", "Method"),
    "method_network": (
        "路网：由街道资料中行人可走的道路建成，在交叉处断开；梯道、电梯、自动扶梯按各自的速度与等待时间计算。",
        "Network: ways that people may walk on, cut where they meet. Stairs, lifts and escalators have their "
        "own speeds and waits.",
    ),
    "method_flat": (
        "本研究没有高程数据：按平地计算，坡度的影响不在结果之内。",
        "This study has no heights: it walks on flat ground, and slope is not in the results.",
    ),
    "method_slope": (
        "坡度影响步行速度：坡度函数为 tobler 的人群取 Tobler（1993），并按其平地速度换算：",
        "Slope changes the pace. Profiles whose function is tobler walk as Tobler (1993) says, scaled to their pace on "
        "level ground:",
    ),
    "method_other_slope": (
        "坡度影响步行速度，各人群的坡度函数见下表；level 表示坡度不影响速度。",
        "Slope changes the pace by the function of each profile, below; level: slope does not count.",
    ),
    "formula_slope": (
        "v(s) = v(0) · exp(−3.5 · |s + 0.05|) / exp(−3.5 · 0.05)，s 为坡度",
        "v(s) = v(0) · exp(−3.5 · |s + 0.05|) / exp(−3.5 · 0.05), s the slope (rise over run)",
    ),
    "profiles_settings_table": ("步行人群的设置", "Profiles"),
    "slope_function": ("坡度函数", "Slope function"),
    "flat_mps": ("平地速度（米/秒）", "On level ground (m/s)"),
    "stairs_up": ("上梯速度（米/秒）", "Up stairs (m/s)"),
    "stairs_down": ("下梯速度（米/秒）", "Down stairs (m/s)"),
    "short_stairs_up": ("短梯上行（米/秒）", "Up a short flight (m/s)"),
    "short_stairs_down": ("短梯下行（米/秒）", "Down a short flight (m/s)"),
    "ramp": ("梯旁坡道（米/秒）", "Ramp beside stairs (m/s)"),
    "escalator": ("自动扶梯（米/秒）", "Escalator (m/s)"),
    "lift_wait": ("候梯（秒）", "Wait for lifts (s)"),
    "lift_floor": ("电梯每层（秒）", "Lift, each floor (s)"),
    "rest": ("爬梯休息（秒/米）", "Rest on stairs (s per m climbed)"),
    "handrail": ("无扶手时的速度系数", "Pace without handrail (factor)"),
    "max_slope": ("最大坡度（%）", "Steepest slope (%)"),
    "cannot_use": ("不可通行", "cannot use"),
    "not_used": ("不使用", "not used"),
    "no_limit": ("不限", "no limit"),
    "setting": ("设置", "Setting"),
    "profiles_note": (
        "长梯指高差 15 米及以上，短梯指一层（3 米及以下），其间按高差内插；“不可通行”表示该人群不能使用。",
        "Long stairs have 15 m of height and more, short flights one storey (3 m and less); between them by height. "
        "Cannot use: that way is closed to the profile.",
    ),
    "method_time": (
        "步行时间：从每个网格的居住点到每类最近一处设施的最短时间（以 0.1 秒为单位，精确求和）。",
        "Time: the shortest from the place where the people of a cell live to the nearest facility of each "
        "class, in whole tenths of a second.",
    ),
    "method_time_from": (
        "步行时间：从每类最近一处设施到每个网格居住点的最短时间（自设施出发；以 0.1 秒为单位，精确求和）。",
        "Time: the shortest from the nearest facility of each class to the place where the people of a cell live, in "
        "whole tenths of a second. This study walks from facilities.",
    ),
    "method_share": (
        "覆盖率：跨边界的网格按面积分摊到分区。",
        "Share: a cell across a border is shared by area.",
    ),
    "formula_share": (
        "覆盖率(区, 类, t) = Σ 人口(格) · 面积份额(格, 区) · [时间(格, 类) ≤ t] ÷ Σ 人口(格) · 面积份额(格, 区)",
        "share(area, class, t) = Σ people(cell) · part(cell, area) · [time(cell, class) ≤ t] ÷ Σ people(cell) "
        "· part(cell, area)",
    ),
    "method_score": (
        "得分：每个评分点得 0 到 1 分的区间，乘以权重相加；不适用的评分点不计，其权重由其余评分点分担。",
        "Scores: each point gets an interval within 0..1, times its weight, summed. Points that do not apply "
        "are worth nothing and the others the more.",
    ),
    "method_reference": (
        "坡度公式：W. Tobler, Three Presentations on Geographical Analysis and Modeling, NCGIA 93-1, 1993。",
        "Slope: W. Tobler, Three Presentations on Geographical Analysis and Modeling, NCGIA 93-1, 1993.",
    ),
    # 11 Limits.
    "limits": ("局限", "Limits"),
    "limit_profiles": (
        "步行速度、梯道速度和等待时间的部分数值是建议值，未在当地实测校准（见 datasets/profiles.toml 的标记）。",
        "Some speeds and waits are proposals that were not measured here (marked so in datasets/profiles.toml).",
    ),
    "limit_nearest": (
        "只看最近一处设施是否可达，不看其规模、质量、收费和开放时间。",
        "The nearest facility counts, whatever its size, quality, price and hours.",
    ),
    "limit_cells": (
        "人口在网格内视为居住于同一点；小区内部的道路与门禁以街道资料为准，资料没有的不计。",
        "People of a cell live at one point; gates and ways inside estates are as the street data have them, "
        "and missing where those lack them.",
    ),
    "limit_safety": (
        "不评价道路的安全、照明、无障碍与过街等候。",
        "Safety, light, comfort and waits at crossings are not judged.",
    ),
    "limit_data": (
        "结果不比输入资料更完整、更新；未收录的设施视为不存在。",
        "Results are no more complete or recent than their inputs; a facility that no input lists is not there.",
    ),
    "limit_empty": (
        "下列类别没有任何设施记录，无法评价：{names}。",
        "No facility of these classes is in the data, so that nothing is said of them: {names}.",
    ),
    "limit_not_open": (
        "下列类别有设施记录，但没有一处已开放，不计覆盖率：{names}。",
        "Facilities of these classes are in the data, but none of them is open, so that no share is told: {names}.",
    ),
    "limit_score": (
        "评分标准的权重、折算与等级若非官方所定，应在使用前由编制单位确认。",
        "Weights, ramps and grades of a standard that are not official are to be confirmed before they are used.",
    ),
    "limit_crs": (
        "坐标：{coordinates}。CGCS2000 与 WGS-84 在此尺度上视为一致。",
        "Coordinates: {coordinates}. CGCS2000 is taken for WGS-84 at this scale.",
    ),
    "coordinates_wgs84": ("WGS-84 经纬度（OGC:CRS84）", "longitude and latitude of WGS-84 (OGC:CRS84)"),
    "coordinates_gcj02": (
        "GCJ-02 经纬度，按通用模型换算，不是 WGS-84；H3 网格以这些数值编码",
        "longitude and latitude of GCJ-02 by the model that everybody uses, not WGS-84; H3 cells are those of these "
        "numbers",
    ),
    "coordinates_bd09": (
        "BD-09 经纬度，按通用模型换算，不是 WGS-84；H3 网格以这些数值编码",
        "longitude and latitude of BD-09 by the model that everybody uses, not WGS-84; H3 cells are those of these "
        "numbers",
    ),
    "limit_missing_glyphs": (
        "下列字符不在随附字库内，PDF 中以“〓”代替，Word 与数据表中完整：{codes}。",
        "These characters are not in the bundled font: 〓 stands for them here, and they are whole in the Word "
        "file and the workbook: {codes}.",
    ),
    "annex": ("附表：社区一览", "Annex: communities"),
    "annex_table": ("社区一览", "Communities"),
    "least": ("最低（%）", "Lowest (%)"),
    "weakest_class": ("最低的设施", "Lowest class"),
    "score_range": ("得分", "Score"),
    # The sheet of a community.
    "sheet_title": ("社区体检表", "Community check-up"),
    "sheet_people": ("人口（人）", "People"),
    "sheet_households": ("户数（户）", "Households"),
    "sheet_parent": ("所属", "Part of"),
    "sheet_map": ("{name}：步行时间（{profile}）", "{name}: walking time ({profile})"),
    "sheet_shares": ("步行覆盖率（%）", "Coverage (%)"),
    "sheet_city": ("全市 {minutes} 分钟", "City {minutes} min"),
    "sheet_items": ("逐项评分", "Item by item"),
    "status": ("状态", "Status"),
    "sheet_missing": ("未达标与待核查", "What fails, and what is to be looked at"),
    "to_survey": ("待核查 {count} 项", "{count} to be surveyed"),
    "lacking": ("缺 {gap} {unit}", "lacks {gap} {unit}"),
    "and_more": ("等共 {count} 点", "and more, {count} in all"),
    "sheet_note": (
        "覆盖率为{profile}在规定分钟内可步行到达最近一处设施的居民比例。“–”为无数据或无人口。",
        "Shares are of people who reach the nearest facility ({profile}). A dash: not known, or nobody lives there.",
    ),
    "sheet_note_from": (
        "覆盖率为规定分钟内可从最近一处设施步行走到的居民比例（{profile}，自设施出发）。“–”为无数据或无人口。",
        "Shares are of people whom a walk from the nearest facility reaches ({profile}). A dash: not known, or nobody "
        "lives there.",
    ),
    "sheet_name": ("名称", "Name"),
    "sheet_note_scores": (
        "得分区间的低值把不明的算作没有，高值算作达标。",
        "The low end of a score gives nothing for what is unknown, the high end everything.",
    ),
    "sheets_index": ("体检表目录", "Index of sheets"),
    "pdf": ("文件", "File"),
    # The workbook.
    "sheet": ("工作表", "Sheet"),
    "what": ("内容", "What it holds"),
    "contents_note": ("说明", "Note"),
    "goes_on": ("共 {rows} 行，超过一张工作表，续于 {sheets}。", "{rows} rows: goes on in {sheets}."),
    "not_put_in": (
        "共 {rows} 行，不宜放入工作簿；{place}。",
        "{rows} rows are too many for a workbook: {place}.",
    ),
    "everybody_only": (
        "只列全体居民；各群体共 {rows} 行，{place}。",
        "Everybody alone; with all groups there are {rows} rows: {place}.",
    ),
    "in_folder": ("见文件夹 {folder} 中的 {file}", "see {file} in the folder {folder}"),
    "not_kept": (
        "该表未保留，请用 `walkshed {command} --out` 保留 {file}",
        "they were not kept; run with `walkshed {command} --out` to keep {file}",
    ),
    "cut_texts": ("过长而截短的文字", "Texts that were cut"),
    "cut_note": (
        "{count} 处文字超过 Excel 单元格的 32,767 个字符，已截短。",
        "{count} texts are longer than the 32,767 characters of a cell and were cut.",
    ),
    "column": ("列", "Column"),
    "row": ("行", "Row"),
    "length": ("原长（字符）", "Length (characters)"),
    "raw_coverage": ("各分区覆盖率", "Coverage of areas"),
    "raw_areas": ("分区", "Areas"),
    "raw_cells": ("人口网格", "Cells"),
    "raw_facilities": ("设施清单", "Facilities"),
    "raw_times": ("最近设施与时间", "Nearest facilities"),
    "raw_rejected": ("未采用与提示的记录", "Rows left out or told of"),
    "raw_points": ("评分点", "Points"),
    "raw_items": ("条目", "Items"),
    "raw_totals": ("社区得分", "Scores"),
    "raw_gains": ("方案受益", "Gains"),
    "raw_scenario_coverage": ("方案覆盖率", "Scenario coverage"),
}


def say(language: Language, key: str, **values: object) -> str:
    """What a report says under a key.

    Args:
        language: "zh" or "en".
        key: which words.
        values: what their gaps are filled with.

    Returns:
        Text.

    """
    return _WORDS[key][0 if language == "zh" else 1].format(**values)


def known(language: Language, key: str) -> str | None:
    """What a report says under a key; None where there are no words."""
    return say(language, key) if key in _WORDS else None


def keys() -> list[str]:
    """All keys."""
    return list(_WORDS)


def both(key: str) -> tuple[str, str]:
    """The Chinese and the English text, with their gaps."""
    return _WORDS[key]
