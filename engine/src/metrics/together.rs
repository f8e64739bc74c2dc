//! Several classes of which any will do, as one class more.

use crate::model::standard::union_name;
use crate::model::times::{Nearest, Reason, Times};
use std::borrow::Cow;

/// The times with a class more for each list: its nearest facility is the nearest of any of the list. Classes without times are
/// passed over, and so is a list without any. Classes are sorted.
pub fn together<'a>(times: &'a Times, lists: &[Vec<String>]) -> Cow<'a, Times> {
    if lists.is_empty() {
        return Cow::Borrowed(times);
    }
    let place = |class: &String| times.class.iter().position(|known| known == class);
    let alone = times.class.iter().enumerate().map(|(at, class)| (class.clone(), vec![at]));
    let joined = lists.iter().map(|list| (union_name(list), list.iter().filter_map(place).collect()));
    let mut columns: Vec<(String, Vec<usize>)> =
        alone.chain(joined).filter(|(_, of): &(String, Vec<usize>)| !of.is_empty()).collect();
    columns.sort();
    columns.dedup_by(|a, b| a.0 == b.0);
    let classes = times.class.len();
    let nearest = times.nearest.chunks(classes.max(1)).flat_map(|of_origin| {
        columns.iter().map(|(_, of)| {
            of.iter().map(|&class| of_origin[class]).reduce(better).unwrap_or(Err(Reason::NotConnected))
        })
    });
    Cow::Owned(Times {
        profile: times.profile.clone(),
        origin: times.origin.clone(),
        facility: times.facility.clone(),
        nearest: nearest.collect(),
        class: columns.iter().map(|(class, _)| class.clone()).collect(),
    })
}

/// The nearer one; of two that are not reached the one that is nearest to it: too far before cut off before far from every street.
fn better(a: Nearest, b: Nearest) -> Nearest {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok(if (b.time_ds, b.facility()) < (a.time_ds, a.facility()) { b } else { a }),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(a), Err(b)) => Err(if (b as u8) < (a as u8) { b } else { a }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Ids;
    use crate::model::times::Found;

    #[test]
    fn the_nearest_of_any() {
        let at = |time_ds, facility| Ok(Found::new(time_ds, facility));
        let times = Times {
            profile: "adult".into(),
            origin: Ids::Int(vec![1, 2, 3]),
            class: vec!["bus".into(), "rail".into()],
            facility: Ids::Int(vec![7, 8]),
            nearest: vec![
                at(90, 0),
                at(50, 1),
                Err(Reason::NotConnected),
                at(10, 1),
                Err(Reason::NotConnected),
                Err(Reason::BeyondCutoff),
            ],
        };
        let lists = [vec!["rail".to_owned(), "bus".to_owned()], vec!["tram".to_owned()]];
        let joined = together(&times, &lists);
        assert_eq!(joined.class, ["bus", "rail", "rail|bus"]);
        let any: Vec<Nearest> = joined.nearest.chunks(3).map(|row| row[2]).collect();
        assert_eq!(any, [at(50, 1), at(10, 1), Err(Reason::BeyondCutoff)]);
        assert_eq!(
            joined.nearest.chunks(3).map(|row| row[0]).collect::<Vec<_>>(),
            [times.nearest[0], times.nearest[2], times.nearest[4]]
        );
    }
}
