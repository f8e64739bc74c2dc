//! Names that sound like the mountain city's and say that they are made up.

use super::chance::{Chance, Purpose};

/// What comes before every name.
pub const MADE_UP: &str = "合成";

const FIRST: [&str; 28] = [
    "青", "白", "金", "云", "龙", "凤", "石", "松", "竹", "梅", "桂", "柏", "清", "长", "新", "和", "安",
    "福", "双", "大", "南", "北", "上", "下", "红", "黄", "玉", "鹤",
];
const LAST: [&str; 26] = [
    "坪", "岗", "湾", "沱", "坝", "岭", "溪", "沟", "桥", "坡", "口", "岩", "垭", "坎", "滩", "塘", "井",
    "林", "园", "台", "坊", "渡", "堡", "梁", "洞", "巷",
];

/// The name of a thing of some kind (`of` keeps kinds apart), without what it is.
pub fn name(chance: Chance, of: u64, number: u64) -> String {
    let mut draw = chance.of(Purpose::Name, (of << 40) | number);
    format!("{MADE_UP}{}{}{}", draw.one_of(&FIRST), draw.one_of(&FIRST), draw.one_of(&LAST))
}
