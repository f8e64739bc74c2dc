//! Rows by number: homes at a node, doors on an edge.

/// Rows by a number that each has once or more.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    first: Vec<u32>,
    rows: Vec<u32>,
}

impl Index {
    /// Of numbers below `count`; the rows of a number keep their order.
    pub(super) fn new(count: usize, entries: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut first = vec![0_u32; count + 1];
        for (number, _) in entries.clone() {
            first[number as usize + 1] += 1;
        }
        for number in 0..count {
            first[number + 1] += first[number];
        }
        let (mut next, mut rows) = (first.clone(), vec![0; first[count] as usize]);
        for (number, row) in entries {
            let at = &mut next[number as usize];
            rows[*at as usize] = row;
            *at += 1;
        }
        Self { first, rows }
    }

    /// The rows of a number.
    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    pub(super) fn of(&self, number: u32) -> &[u32] {
        &self.rows[self.first[number as usize] as usize..self.first[number as usize + 1] as usize]
    }
}
