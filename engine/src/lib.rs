//! **How much of a city's people can walk to its community facilities, and in what time?**
//!
//! walkshed is the engine behind that question: streets become a walking network with times by person and direction;
//! homes (H3 cells with people) and doors (facilities) are joined to it; the nearest walking time per cell and class
//! becomes coverage per area, class, minutes and population group. Columns all the way, Parquet in and out.
//!
//! The main line is [`batch::study::run`]; its rooms, lowest first, each using only those above it in this list:
//!
//! | room | what |
//! |---|---|
//! | [`model`] | the nouns: plain data, valid by construction |
//! | [`io`] | files ↔ model |
//! | [`network`] | streets → a frozen graph; places joined to it |
//! | [`travel`] | who reaches what, in what time |
//! | [`metrics`] | times → tables that people read |
//! | [`planning`] | what if |
//! | [`batch`] | whole jobs |
//!
//! Units are in the names: `_m` metres, `_s` seconds, `_ds` tenths of a second, `_mps` metres per second, `people`
//! persons, `share` 0..1. Times are whole tenths of a second, so every sum is exact and the same on any number of
//! threads.
//!
//! # Example
//!
//! A surveyed street of two nodes, a home at one end and a clinic at the other:
//!
//! ```
//! use walkshed::io::defaults;
//! use walkshed::model::{facility::Facilities, ids::Ids, place::Place, progress::Progress};
//! use walkshed::model::street::{Survey, SurveyedEdge, WayKind};
//! use walkshed::model::times::Direction;
//! use walkshed::travel::{doors::Walk, nearest::nearest};
//!
//! let (home, clinic) = (Place::new(106.55, 29.56).unwrap(), Place::new(106.56, 29.56).unwrap());
//! let street = SurveyedEdge {
//!     from: 0, to: 1, length_m: 968.0, kind: WayKind::Footway, residents: false,
//!     forward_ds: Some(7000), backward_ds: None,
//! };
//! let survey = Survey {
//!     node_id: Ids::UInt(vec![1, 2]), place: vec![home, clinic], ele_m: vec![None, None],
//!     edge_id: Ids::UInt(vec![1]), edges: vec![street], timed: true,
//! };
//! let network = walkshed::network::build::from_survey(survey, 200.0)?;
//! let facilities = Facilities::new("survey", Ids::UInt(vec![7]), vec!["clinic".into()], vec![clinic]);
//! let adult = &defaults::profiles()[0];
//! let walk = Walk::new(&network, adult, Direction::ToFacility);
//! let found = nearest(&walk, &Ids::UInt(vec![1]), &[home], &facilities, 9000, &Progress::default())?;
//! assert_eq!(found.times.nearest[0].unwrap().time_ds, 7000); // 700 seconds
//! # Ok::<(), walkshed::model::error::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod batch;
pub mod io;
pub mod metrics;
pub mod model;
pub mod network;
pub mod planning;
pub mod travel;
