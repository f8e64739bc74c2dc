//! Names of facilities: one spelling for all ways to write a name, and how alike two names are.

/// Lower case and half width: `ＡＢＣ （一）` and `abc (一)` become one. Blanks at the ends go.
pub fn half_width(text: &str) -> String {
    let narrow = |letter: char| match letter {
        '\u{3000}' => ' ',
        // The full-width forms of ASCII stand 0xFEE0 above it (Unicode, Halfwidth and Fullwidth Forms).
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(letter as u32 - 0xFEE0).unwrap_or(letter),
        _ => letter,
    };
    text.chars().map(narrow).flat_map(char::to_lowercase).collect::<String>().trim().to_owned()
}

/// Endings that say that it is a firm or a branch, not which one; the longest first.
const ENDINGS: [&str; 10] =
    ["有限责任公司", "股份有限公司", "有限公司", "总店", "分店", "分公司", "旗舰店", "公司", "门店", "店"];

/// Least letters of a name that may stand for a longer one that holds it: shorter ones are mere kinds (`幼儿园`).
const LEAST_PART: usize = 4;

/// How alike a name is to one that wholly holds it (own value).
const PART_OF: f64 = 0.9;

/// A name brought to the form in which names are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Letters and digits of the words, without what stands between them and without endings.
    letters: Vec<char>,
    /// The words in the order of the alphabet.
    sorted: Vec<char>,
    words: Vec<String>,
    /// The numbers in it, as written; `一` to `十` count as digits.
    numbers: Vec<String>,
}

impl Name {
    /// The form of a name; `None` when nothing of it is left.
    pub fn of(text: &str) -> Option<Self> {
        let narrow = half_width(text);
        let joined: String = narrow.chars().filter(|letter| letter.is_alphanumeric()).collect();
        let bare = without_endings(&joined);
        if bare.is_empty() {
            return None;
        }
        let words = narrow.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(str::to_owned).collect();
        let mut in_order = words.clone();
        in_order.sort_unstable();
        Some(Self {
            letters: bare.chars().collect(),
            sorted: without_endings(&in_order.concat()).chars().collect(),
            numbers: numbers(bare),
            words,
        })
    }

    /// How alike two names are, 0..1.
    ///
    /// 0 when both hold numbers and these differ (`第一小学`, `第二小学`). Else the greatest of: one less the edits
    /// (Levenshtein) over the letters of the longer name; the same with the words in alphabetical order; 0.9 when one
    /// name, of at least four letters, is wholly a part of the other, or all its words are words of the other.
    ///
    /// # Source
    /// Levenshtein 1966, Soviet Physics Doklady 10(8), 707-710. The parts and values are our own.
    pub fn similarity(&self, other: &Self) -> f64 {
        if !self.numbers.is_empty() && !other.numbers.is_empty() && self.numbers != other.numbers {
            return 0.0;
        }
        let part = if self.is_part_of(other) || other.is_part_of(self) { PART_OF } else { 0.0 };
        edit_similarity(&self.letters, &other.letters)
            .max(edit_similarity(&self.sorted, &other.sorted))
            .max(part)
    }

    fn is_part_of(&self, whole: &Self) -> bool {
        if self.letters.len() < LEAST_PART || self.letters.len() > whole.letters.len() {
            return false;
        }
        // Letters of an alphabet mean something as words only: "rent" is no part of "parents".
        if self.letters.iter().any(|letter| is_of_words(*letter)) {
            return self.words.iter().all(|word| whole.words.contains(word));
        }
        whole.letters.windows(self.letters.len()).any(|part| part == self.letters)
    }
}

/// Scripts that put blanks between words: everything before the CJK blocks.
fn is_of_words(letter: char) -> bool {
    letter.is_alphabetic() && letter < '\u{2E80}'
}

fn without_endings(name: &str) -> &str {
    let mut bare = name;
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| bare.strip_suffix(ending)) {
        if shorter.is_empty() {
            break;
        }
        bare = shorter;
    }
    bare
}

fn numbers(name: &str) -> Vec<String> {
    const CHINESE: &str = "一二三四五六七八九十";
    let digit = |letter: char| letter.is_ascii_digit() || CHINESE.contains(letter);
    name.split(|letter| !digit(letter)).filter(|number| !number.is_empty()).map(str::to_owned).collect()
}

/// One less the edits over the length of the longer: 1 for equal texts.
pub fn edit_similarity(a: &[char], b: &[char]) -> f64 {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 1.0;
    }
    1.0 - edits(a, b) as f64 / longer as f64
}

/// Least number of letters to insert, delete or exchange, row by row of the table of Wagner and Fischer 1974.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, from) in a.iter().enumerate() {
        let mut diagonal = above[0];
        above[0] = row + 1;
        for (column, to) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(from != to);
            diagonal = above[column + 1];
            above[column + 1] = exchanged.min(diagonal + 1).min(above[column] + 1);
        }
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alike(a: &str, b: &str) -> f64 {
        Name::of(a).unwrap().similarity(&Name::of(b).unwrap())
    }

    #[test]
    fn one_name_in_many_spellings_is_one() {
        for other in [
            "永辉超市（南坪店）",
            "永辉超市(南坪店)",
            "永辉超市 南坪分店",
            "永辉超市·南坪",
            "永辉超市南坪有限公司",
        ] {
            assert!((alike("永辉超市南坪店", other) - 1.0).abs() < 1e-12, "{other}");
        }
        assert!((alike("K-Market Kamppi", "Kamppi K-MARKET") - 1.0).abs() < 1e-12);
        assert_eq!(Name::of(" （） "), None);
        assert!(Name::of("店").is_some());
    }

    #[test]
    fn alike_and_unlike_by_hand() {
        // One of seven letters exchanged.
        assert!((alike("民主村社区食堂", "民生村社区食堂") - 6.0 / 7.0).abs() < 1e-12);
        // Wholly a part.
        assert!((alike("社区食堂", "民主村社区食堂") - 0.9).abs() < 1e-12);
        assert!((alike("Alepa", "Alepa Kaisaniemi") - 0.9).abs() < 1e-12);
        assert!(alike("rent", "parents house") < 0.8);
        // Too short to stand for another: two letters of five are missing.
        assert!((alike("幼儿园", "红旗幼儿园") - 0.6).abs() < 1e-12);
        // Numbers decide.
        assert!(alike("重庆第一小学", "重庆第二小学") < 1e-12);
        assert!(alike("Apteekki 12", "Apteekki 13") < 1e-12);
        assert!((alike("Apteekki 12", "Apteekki") - 0.9).abs() < 1e-12);
    }

    /// The definition, word for word.
    fn edits_by_definition(a: &[char], b: &[char]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([first, a_rest @ ..], [second, b_rest @ ..]) => {
                let exchanged = edits_by_definition(a_rest, b_rest) + usize::from(first != second);
                exchanged.min(edits_by_definition(a_rest, b) + 1).min(edits_by_definition(a, b_rest) + 1)
            }
        }
    }

    proptest! {
        #[test]
        fn edits_equal_their_definition(a in "[ab中]{0,6}", b in "[ab中]{0,6}") {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(edits(&a, &b), edits_by_definition(&a, &b));
        }

        #[test]
        fn likeness_is_mutual_and_a_share(a in "[ab 1中园店]{1,8}", b in "[ab 1中园店]{1,8}") {
            let (Some(a), Some(b)) = (Name::of(&a), Name::of(&b)) else { return Ok(()) };
            let alike = a.similarity(&b);
            prop_assert!((0.0..=1.0).contains(&alike));
            prop_assert_eq!(alike.to_bits(), b.similarity(&a).to_bits());
            prop_assert_eq!(a.similarity(&a).to_bits(), 1.0_f64.to_bits());
        }
    }
}
