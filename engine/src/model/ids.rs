//! The ids of rows as the user wrote them: text or whole numbers, given back in the same type.

use std::collections::HashMap;

/// One id per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Ids {
    /// Text ids.
    Text(Vec<String>),
    /// Signed whole numbers.
    Int(Vec<i64>),
    /// Unsigned whole numbers, such as H3 cells.
    UInt(Vec<u64>),
}

impl Ids {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(ids) => ids.len(),
            Self::Int(ids) => ids.len(),
            Self::UInt(ids) => ids.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of one row as text.
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Text(ids) => ids[row].clone(),
            Self::Int(ids) => ids[row].to_string(),
            Self::UInt(ids) => ids[row].to_string(),
        }
    }

    /// How many different ids there are.
    pub fn distinct(&self) -> usize {
        fn count<T: Ord>(mut ids: Vec<T>) -> usize {
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        }
        match self {
            Self::Text(ids) => count(ids.iter().collect()),
            Self::Int(ids) => count(ids.clone()),
            Self::UInt(ids) => count(ids.clone()),
        }
    }

    /// The rows of an id, as text.
    pub fn find(&self, id: &str) -> Vec<usize> {
        fn rows<T: PartialEq>(ids: &[T], wanted: Option<T>) -> Vec<usize> {
            let Some(wanted) = wanted else { return vec![] };
            ids.iter().enumerate().filter(|(_, id)| **id == wanted).map(|(row, _)| row).collect()
        }
        match self {
            Self::Text(ids) => (0..ids.len()).filter(|&row| ids[row] == id).collect(),
            Self::Int(ids) => rows(ids, id.parse().ok()),
            Self::UInt(ids) => rows(ids, id.parse().ok()),
        }
    }

    /// Add an id that is given as text; whether it is of the type of the others.
    pub fn push_text(&mut self, id: &str) -> bool {
        fn push<T: std::str::FromStr>(ids: &mut Vec<T>, id: &str) -> bool {
            let parsed = id.parse().ok();
            let is_some = parsed.is_some();
            ids.extend(parsed);
            is_some
        }
        match self {
            Self::Text(ids) => {
                ids.push(id.to_owned());
                true
            }
            Self::Int(ids) => push(ids, id),
            Self::UInt(ids) => push(ids, id),
        }
    }

    /// These rows, in this order.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        match self {
            Self::Text(ids) => Self::Text(rows.iter().map(|&row| ids[row].clone()).collect()),
            Self::Int(ids) => Self::Int(rows.iter().map(|&row| ids[row]).collect()),
            Self::UInt(ids) => Self::UInt(rows.iter().map(|&row| ids[row]).collect()),
        }
    }

    /// For each row its place in the order of the ids (numbers by value, text by code point); equal ids keep
    /// the order of their rows. Ties between equally near facilities are broken by it.
    pub fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        match self {
            Self::Text(ids) => order.sort_by(|&a, &b| ids[a].cmp(&ids[b])),
            Self::Int(ids) => order.sort_by_key(|&row| ids[row]),
            Self::UInt(ids) => order.sort_by_key(|&row| ids[row]),
        }
        let mut ranks = vec![0; order.len()];
        for (rank, row) in order.into_iter().enumerate() {
            ranks[row] = rank as u32;
        }
        ranks
    }

    /// For each of `wanted`, the row of the same id here; numbers match across signed and unsigned.
    pub fn rows_of(&self, wanted: &Self) -> Vec<Option<usize>> {
        if let (Some(own), Some(theirs)) = (self.whole_numbers(), wanted.whole_numbers()) {
            let rows: HashMap<i128, usize> = own.into_iter().zip(0..).collect();
            return theirs.iter().map(|id| rows.get(id).copied()).collect();
        }
        let rows: HashMap<String, usize> = (0..self.len()).map(|row| (self.text(row), row)).collect();
        (0..wanted.len()).map(|row| rows.get(&wanted.text(row)).copied()).collect()
    }

    fn whole_numbers(&self) -> Option<Vec<i128>> {
        match self {
            Self::Text(_) => None,
            Self::Int(ids) => Some(ids.iter().map(|&id| i128::from(id)).collect()),
            Self::UInt(ids) => Some(ids.iter().map(|&id| i128::from(id)).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn ranks_follow_the_order_of_the_ids() {
        assert_eq!(Ids::Text(vec!["b".into(), "a".into(), "c".into()]).ranks(), [1, 0, 2]);
        assert_eq!(Ids::Int(vec![10, -3, 10]).ranks(), [1, 0, 2]);
    }

    #[test]
    fn rows_are_found_across_number_types() {
        let cells = Ids::UInt(vec![7, 9]);
        assert_eq!(cells.rows_of(&Ids::Int(vec![9, 8])), [Some(1), None]);
        assert_eq!(cells.rows_of(&Ids::Text(vec!["7".into()])), [Some(0)]);
    }
}
