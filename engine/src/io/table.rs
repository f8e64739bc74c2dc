//! Tables of any source: Parquet, `GeoParquet`, CSV, `GeoJSON` and Arrow, with columns read under one set of rules.

use super::degrees::{self, Axis};
use super::files::unreadable;
use super::geometry;
use crate::model::analysis_crs::{AnalysisCrs, Passage};
use crate::model::cell;
use crate::model::crs::Crs;
use crate::model::error::{Error, Result};
use crate::model::extent::Extent;
use crate::model::ids::Ids;
use crate::model::limits::Amount;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::{Column, Rule, TableRules};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use chrono::NaiveDate;
use geo::Geometry;
use geo::dimensions::{Dimensions, HasDimensions};
use h3o::CellIndex;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A table in memory with the name that its problems carry.
#[derive(Debug, Clone)]
pub struct Table {
    /// File name, or the name of the argument.
    pub name: String,
    batch: RecordBatch,
    /// Every column is text because the source has no types.
    untyped: bool,
    /// A comma in a number is the decimal point, for the columns are separated by something else.
    decimal_comma: bool,
    /// What was noticed while the table was read, and is no fault of a row.
    notes: Vec<Problem>,
    /// Rows whose geometry could not be brought into a column, with the reason.
    broken: BTreeMap<usize, Fault>,
    /// Its format has a place for the system of its places, and it stands empty.
    needs_crs: bool,
    /// Where its places are expected.
    near: Option<Extent>,
    /// The system that the user says its places are in.
    crs: Option<Crs>,
    /// The system that its places are brought to.
    analysis: AnalysisCrs,
}

/// What the rows of a place column say. Rows without a usable place are `None` and have a problem.
#[derive(Debug, Default)]
pub struct Located {
    /// One geometry per row: a point, an outline, or a cell's centre.
    pub place: Vec<Option<Geometry>>,
    /// The cell of each row, where cells gave the places.
    pub cell: Option<Vec<Option<CellIndex>>>,
}

impl Table {
    /// A table from Arrow batches of one schema.
    ///
    /// # Errors
    /// A problem when there is no row, or there are more rows or columns than [`Amount`] allows.
    pub fn from_batches(name: &str, schema: &Arc<Schema>, batches: &[RecordBatch]) -> Result<Self> {
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        for (amount, found) in [(Amount::Columns, schema.fields().len() as u64), (Amount::Rows, rows)] {
            let most = amount.most();
            if found > most {
                return Err(Problem::of_file(name, Fault::TooLarge { amount, found, most }).into());
            }
        }
        let batch = arrow_select::concat::concat_batches(schema, batches).map_err(unreadable(name))?;
        if batch.num_rows() == 0 {
            return Err(Problem::of_file(name, Fault::EmptyTable).into());
        }
        Ok(Self {
            name: name.to_owned(),
            batch,
            untyped: false,
            decimal_comma: false,
            notes: Vec::new(),
            broken: BTreeMap::new(),
            needs_crs: false,
            near: None,
            crs: None,
            analysis: AnalysisCrs::default(),
        })
    }

    /// The rows of tables of one schema, each once, by a column of numbers that names them.
    ///
    /// # Errors
    /// A problem when there is no row, or the column is none of such numbers.
    pub fn together(tables: &[Self], named_by: &str) -> Result<Self> {
        let Some(first) = tables.first() else { return Err(Problem::of_file("", Fault::EmptyTable).into()) };
        let batches: Vec<RecordBatch> = tables.iter().map(|table| table.batch.clone()).collect();
        let all = Self::from_batches(&first.name, &first.batch.schema(), &batches)?;
        let wrong = || {
            Problem::of_file(&all.name, Fault::WrongFormat { expected: "numbers of rows" })
                .in_column(named_by)
        };
        let column = all.array(named_by)?;
        let names = column.as_primitive_opt::<UInt64Type>().ok_or_else(wrong)?.values();
        let mut rows: Vec<u32> = (0..names.len() as u32).collect();
        rows.sort_by_key(|&row| names[row as usize]);
        rows.dedup_by_key(|row| names[*row as usize]);
        let batch = arrow_select::take::take_record_batch(&all.batch, &UInt32Array::from(rows))
            .map_err(unreadable(&all.name))?;
        Ok(Self { batch, ..all })
    }

    /// The same table, whose places are expected here: one that would be here only with its coordinates exchanged
    /// was given the wrong way round.
    #[must_use]
    pub fn near(mut self, extent: Extent) -> Self {
        self.near = Some(extent);
        self
    }

    /// The same table, whose places are stated in this system whatever the file says of degrees: files in GCJ-02 and BD-09
    /// call themselves WGS-84, because no register has these two.
    #[must_use]
    pub fn in_crs(mut self, crs: Crs) -> Self {
        self.crs = Some(crs);
        self
    }

    /// The same table, whose places are brought to this system instead of WGS-84.
    #[must_use]
    pub fn analysed_in(mut self, system: AnalysisCrs) -> Self {
        self.analysis = system;
        self
    }

    /// The way of places whose column states no system of its own: numbers and H3 cells.
    ///
    /// # Errors
    /// A problem when the table is a result in GCJ-02 or BD-09 and the user says another system.
    pub fn passage(&self, column: &str) -> Result<Passage> {
        Ok(Passage::new(self.crs_of(column, None)?, self.analysis))
    }

    /// The same table, from a source whose columns have no types. Where semicolons separate them, commas are decimal.
    #[must_use]
    pub fn untyped(mut self, separator: Option<char>) -> Self {
        self.untyped = true;
        self.decimal_comma = separator == Some(';');
        self
    }

    /// The same table with something that was noticed while it was read.
    #[must_use]
    pub fn with_note(mut self, fault: Fault) -> Self {
        self.notes.push(Problem::of_file(&self.name, fault));
        self
    }

    /// The same table; the geometries of these rows, counted from 0, could not be brought into its column.
    #[must_use]
    pub fn with_broken(mut self, broken: BTreeMap<usize, Fault>) -> Self {
        self.broken = broken;
        self
    }

    /// The same table, of a format that could state its system of coordinates and does not: the user has to.
    #[must_use]
    pub fn without_crs(mut self) -> Self {
        self.needs_crs = true;
        self
    }

    /// What was noticed while the table was read, such as a guessed encoding.
    pub fn notes(&self) -> &[Problem] {
        &self.notes
    }

    /// The same table under another name.
    #[must_use]
    pub fn renamed(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Names of the columns.
    pub fn column_names(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Names of the columns that hold numbers.
    pub fn number_columns(&self) -> Vec<String> {
        let schema = self.batch.schema();
        let numeric = |field: &&Arc<Field>| field.data_type().is_numeric();
        schema.fields().iter().filter(numeric).map(|field| field.name().clone()).collect()
    }

    /// Whether a column of this name exists.
    pub fn has(&self, column: &str) -> bool {
        self.batch.schema().index_of(column).is_ok()
    }

    /// A problem at a row of this table, counted from 0 here and from 1 in the text.
    pub fn problem(&self, row: usize, column: &str, value: Option<String>, fault: Fault) -> Problem {
        let mut problem = Problem::of_file(&self.name, fault).at_row(row as u64 + 1).in_column(column);
        problem.value = value;
        problem
    }

    /// An error with the first of all problems when no row is left.
    pub fn refuse_if_none(&self, rows: usize, problems: &mut [Problem]) -> Result<()> {
        if rows > 0 {
            return Ok(());
        }
        problems.sort_by_key(|problem| (problem.fault.level(), problem.row));
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Err(Problem::of_file(&self.name, Fault::AllRejected { first }).into())
    }

    fn column(&self, column: &str) -> Result<(ArrayRef, Field)> {
        let schema = self.batch.schema();
        let Ok(position) = schema.index_of(column) else {
            let found = self.column_names();
            return Err(Problem::of_file(&self.name, Fault::MissingColumn { found })
                .in_column(column)
                .into());
        };
        Ok((self.batch.column(position).clone(), schema.field(position).clone()))
    }

    /// Whether a column of this name holds records.
    pub(super) fn is_record(&self, column: &str) -> bool {
        self.column(column).is_ok_and(|(array, _)| matches!(array.data_type(), DataType::Struct(_)))
    }

    /// The same rows with these of its columns, and others beside them.
    pub(super) fn with_columns(&self, kept: &[&str], added: Vec<(&str, ArrayRef)>) -> Result<Self> {
        let mut columns = kept.iter().map(|column| self.column(column)).collect::<Result<Vec<_>>>()?;
        let beside = |(name, array): (&str, ArrayRef)| {
            let field = Field::new(name, array.data_type().clone(), true);
            (array, field)
        };
        columns.extend(added.into_iter().map(beside));
        let (arrays, fields): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let schema = Schema::new_with_metadata(fields, self.batch.schema().metadata().clone());
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).map_err(unreadable(&self.name))?;
        Ok(Self { batch, ..self.clone() })
    }

    /// A column as it is.
    pub(super) fn array(&self, column: &str) -> Result<ArrayRef> {
        self.column(column).map(|(array, _)| array)
    }

    /// A column as text; missing values are `None`.
    pub fn text(&self, column: &str) -> Result<Vec<Option<String>>> {
        let strings = self.strings(column)?;
        Ok((0..strings.len())
            .map(|row| strings.is_valid(row).then(|| strings.value(row).to_owned()))
            .collect())
    }

    /// A column of codes as text; missing and empty ones are `None`. A whole number stays the digits that it is, also
    /// where a library keeps it as a float because others are missing.
    pub fn codes(&self, column: &str) -> Result<Vec<Option<String>>> {
        let (array, _) = self.column(column)?;
        let code =
            |number: f64| if number.fract() == 0.0 { format!("{number:.0}") } else { number.to_string() };
        if array.data_type().is_floating() {
            let numbers = arrow_cast::cast(&array, &DataType::Float64).map_err(unreadable(&self.name))?;
            let numbers = numbers.as_primitive::<Float64Type>();
            return Ok(numbers
                .iter()
                .map(|number| number.filter(|number| number.is_finite()).map(code))
                .collect());
        }
        let trimmed = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(self.text(column)?.into_iter().map(|text| text.and_then(trimmed)).collect())
    }

    /// A column as text, as Arrow keeps it.
    pub(super) fn strings(&self, column: &str) -> Result<StringArray> {
        let (array, _) = self.column(column)?;
        let text = arrow_cast::cast(&array, &DataType::Utf8).map_err(unreadable(&self.name))?;
        Ok(text.as_string::<i32>().clone())
    }

    /// A column as numbers. Missing and non-finite values are `None` without a problem; text that is no number is
    /// `None` with one.
    pub fn numbers(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<f64>>> {
        let (array, _) = self.column(column)?;
        let is_text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        if is_text {
            return self.numbers_from_text(column, problems);
        }
        let numbers = arrow_cast::cast(&array, &DataType::Float64).map_err(unreadable(&self.name))?;
        let numbers = numbers.as_primitive::<Float64Type>();
        Ok(numbers.iter().map(|number| number.filter(|number| number.is_finite())).collect())
    }

    fn numbers_from_text(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<f64>>> {
        let axis = match column {
            "lon" => Some(Axis::Lon),
            "lat" => Some(Axis::Lat),
            _ => None,
        };
        let text = self.text(column)?;
        let mut numbers = Vec::with_capacity(text.len());
        for (row, value) in text.into_iter().enumerate() {
            let value = value.filter(|value| !value.trim().is_empty());
            let angle = |value: &String| axis.and_then(|axis| degrees::parse(value, axis));
            let number = value
                .as_ref()
                .and_then(|value| number(value.trim(), self.decimal_comma).or_else(|| angle(value)));
            if let (None, Some(_)) = (number, &value) {
                problems.push(self.problem(row, column, value, Fault::NotANumber));
            }
            numbers.push(number.filter(|number| number.is_finite()));
        }
        Ok(numbers)
    }

    /// Every column that a table must have and has not, told together; `named` gives the user's name of a declared column.
    ///
    /// # Errors
    /// A problem for each.
    pub fn require(&self, rules: &TableRules, named: &dyn Fn(&'static str) -> String) -> Result<()> {
        let needed = rules.columns.iter().filter(|column| column.needed).map(|column| named(column.name));
        let missing: Vec<Problem> = needed
            .filter(|name| !self.has(name))
            .map(|name| {
                let found = self.column_names();
                Problem::of_file(&self.name, Fault::MissingColumn { found }).in_column(name)
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::Input(missing)) }
    }

    /// A declared column of numbers under the user's name for it; values that break its rule are `None` with a problem. All
    /// `None` where the table has no such column.
    pub fn declared_numbers(
        &self,
        column: Column,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Option<f64>>> {
        if !self.has(name) {
            return Ok(vec![None; self.rows()]);
        }
        let told = problems.len();
        let mut numbers = self.numbers(name, problems)?;
        let no_numbers: HashSet<u64> = problems[told..].iter().filter_map(|problem| problem.row).collect();
        for (row, number) in numbers.iter_mut().enumerate() {
            let fault = match *number {
                Some(found) => out_of_range(column.rule, found),
                None if column.needed && !no_numbers.contains(&(row as u64 + 1)) => Some(Fault::MissingValue),
                None => None,
            };
            if let Some(fault) = fault {
                let value = number.take().map(|found| found.to_string());
                problems.push(self.problem(row, name, value, fault));
            }
        }
        Ok(numbers)
    }

    /// A declared column of days, as text `2026-11-25`; what is no day is `None` with a problem. All `None` where the table
    /// has no such column.
    pub fn declared_dates(
        &self,
        column: Column,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Option<NaiveDate>>> {
        if !self.has(column.name) {
            return Ok(vec![None; self.rows()]);
        }
        let mut dates = Vec::with_capacity(self.rows());
        for (row, text) in self.text(column.name)?.into_iter().enumerate() {
            let text = text.filter(|text| !text.trim().is_empty());
            // A moment is cut to its day.
            let day = text.as_deref().map(|text| text.trim().get(..10).unwrap_or(text.trim()));
            let date = day.and_then(|day| day.parse::<NaiveDate>().ok());
            if let (None, Some(_)) = (date, &text) {
                problems.push(self.problem(row, column.name, text, Fault::NotADate));
            }
            dates.push(date);
        }
        Ok(dates)
    }

    /// A column of ids in the type that it has: whole numbers stay numbers, everything else becomes text. In delimited
    /// text, which has no types, a column of nothing but whole numbers is numbers.
    ///
    /// # Errors
    /// A problem for every missing id.
    pub fn ids(&self, column: &str) -> Result<Ids> {
        let (array, _) = self.column(column)?;
        let missing: Vec<Problem> = (0..array.len())
            .filter(|&row| array.is_null(row))
            .map(|row| self.problem(row, column, None, Fault::MissingValue))
            .collect();
        if !missing.is_empty() {
            return Err(Error::Input(missing));
        }
        let whole = |to: &DataType| arrow_cast::cast(&array, to).map_err(unreadable(&self.name));
        Ok(match array.data_type() {
            DataType::UInt64 => {
                Ids::UInt(whole(&DataType::UInt64)?.as_primitive::<UInt64Type>().values().to_vec())
            }
            kind if kind.is_integer() => {
                Ids::Int(whole(&DataType::Int64)?.as_primitive::<Int64Type>().values().to_vec())
            }
            _ => {
                let text: Vec<String> = self.text(column)?.into_iter().flatten().collect();
                match whole_numbers(&text) {
                    Some(numbers) if self.untyped => Ids::Int(numbers),
                    _ => Ids::Text(text),
                }
            }
        })
    }

    /// Where each row is: `lon` + `lat` (`x` + `y` in a plane), a geometry column, or H3 cells under `cell_column`, in this order.
    pub fn located(&self, cell_column: &str, problems: &mut Vec<Problem>) -> Result<Located> {
        let passage = self.passage("lon, lat")?;
        let axes = if passage.is_from_degrees() { ["lon", "lat"] } else { ["x", "y"] };
        if axes.into_iter().all(|axis| self.has(axis)) {
            let located = self.located_by_numbers(axes, &passage, problems)?;
            return Ok(self.without_swapped(located, &axes.join(", "), problems));
        }
        if let Some(column) = self.geometry_column() {
            let place = self.geometries(&column, problems)?;
            return Ok(self.without_swapped(Located { place, cell: None }, &column, problems));
        }
        if self.has(cell_column) {
            return self.located_by_cells(cell_column, problems);
        }
        let found = self.column_names();
        let wanted = format!("{}, geometry or {cell_column}", axes.join(" + "));
        Err(Problem::of_file(&self.name, Fault::MissingColumn { found }).in_column(wanted).into())
    }

    fn without_swapped(&self, mut located: Located, column: &str, problems: &mut Vec<Problem>) -> Located {
        let Some(near) = self.near else { return located };
        for (row, place) in located.place.iter_mut().enumerate() {
            let Some(found) = place.as_ref().and_then(geometry::place_of) else { continue };
            if near.looks_swapped(found) {
                let value = format!("{}, {}", found.lon(), found.lat());
                problems.push(self.problem(row, column, Some(value), Fault::SwappedLonLat));
                *place = None;
            }
        }
        located
    }

    fn located_by_numbers(
        &self,
        [x, y]: [&str; 2],
        passage: &Passage,
        problems: &mut Vec<Problem>,
    ) -> Result<Located> {
        let told = problems.len();
        let (xs, ys) = (self.numbers(x, problems)?, self.numbers(y, problems)?);
        let known: HashSet<u64> = problems[told..].iter().filter_map(|problem| problem.row).collect();
        let mut place = Vec::with_capacity(xs.len());
        for (row, numbers) in xs.into_iter().zip(ys).enumerate() {
            let found = match numbers {
                (Some(x), Some(y)) => {
                    let exchanged = self.is_exchanged(passage, (x, y));
                    let found = passage.place(x, y).filter(|_| !exchanged);
                    found.ok_or_else(|| self.no_place(row, passage, (x, y), exchanged))
                }
                (None, _) => Err(self.problem(row, x, None, Fault::MissingValue)),
                (_, None) => Err(self.problem(row, y, None, Fault::MissingValue)),
            };
            match found {
                Ok(found) => place.push(Some(Geometry::Point((found.lon(), found.lat()).into()))),
                Err(problem) => {
                    if !known.contains(&(row as u64 + 1)) {
                        problems.push(problem);
                    }
                    place.push(None);
                }
            }
        }
        Ok(Located { place, cell: None })
    }

    /// Whether numbers of a plane lead away from the streets and, exchanged, to them. Degrees are looked at in
    /// [`Self::without_swapped`], which geometries need too.
    fn is_exchanged(&self, passage: &Passage, (x, y): (f64, f64)) -> bool {
        let Some(near) = self.near.filter(|_| !passage.is_from_degrees()) else { return false };
        let is_near = |x, y| passage.place(x, y).is_some_and(|place| near.holds(place));
        !is_near(x, y) && is_near(y, x)
    }

    fn no_place(&self, row: usize, passage: &Passage, (x, y): (f64, f64), exchanged: bool) -> Problem {
        if passage.is_from_degrees() {
            return self.bad_degrees(row, x, y);
        }
        let reason = || "outside its coordinate reference system".to_owned();
        let fault = if exchanged { Fault::SwappedXy } else { Fault::BadGeometry { reason: reason() } };
        self.problem(row, "x, y", Some(format!("{x}, {y}")), fault)
    }

    fn bad_degrees(&self, row: usize, lon: f64, lat: f64) -> Problem {
        if !(-90.0..=90.0).contains(&lat) {
            let swapped = Place::new(lat, lon).is_some();
            let fault = if swapped { Fault::SwappedLonLat } else { Fault::OutOfRange { range: "-90..90" } };
            return self.problem(row, "lat", Some(lat.to_string()), fault);
        }
        self.problem(row, "lon", Some(lon.to_string()), Fault::OutOfRange { range: "-180..180" })
    }

    fn located_by_cells(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Located> {
        let cells = self.cells(column, problems)?;
        let passage = self.passage(column)?;
        let centre = |cell: CellIndex| {
            let centre = cell::centre(cell);
            let centre = passage.place(centre.lon(), centre.lat()).unwrap_or(centre);
            Geometry::Point((centre.lon(), centre.lat()).into())
        };
        let place = cells.iter().map(|cell| cell.map(centre)).collect();
        Ok(Located { place, cell: Some(cells) })
    }

    /// A column of H3 cells: u64, i64 or hexadecimal text; in text also decimal, as a column of u64 stands in CSV (18
    /// digits, which are too many for a hexadecimal id).
    pub fn cells(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<CellIndex>>> {
        let (array, _) = self.column(column)?;
        let whole = array.data_type().is_integer();
        let values = self.text(column)?;
        let mut cells = Vec::with_capacity(values.len());
        for (row, value) in values.into_iter().enumerate() {
            let found = value.as_ref().and_then(|value| {
                let decimal = || value.trim().parse().ok().and_then(cell::from_id);
                if whole { decimal() } else { cell::from_hex(value).or_else(decimal) }
            });
            if found.is_none() {
                let fault = if value.is_some() { Fault::NotACell } else { Fault::MissingValue };
                problems.push(self.problem(row, column, value, fault));
            }
            cells.push(found);
        }
        Ok(cells)
    }

    /// The name of the geometry column: the one marked as such, else one called `geometry` or `geom`.
    pub fn geometry_column(&self) -> Option<String> {
        let schema = self.batch.schema();
        let marked = schema.fields().iter().find(|field| geometry::is_marked(field));
        let named = || schema.fields().iter().find(|field| geometry::is_named(field));
        marked.or_else(named).map(|field| field.name().clone())
    }

    /// The geometries of a column in degrees of the analysis; `None` where missing or unusable, with a problem.
    ///
    /// # Errors
    /// A problem when the column or its system cannot be read, contradicts what the user says, or is not stated and cannot be
    /// degrees.
    pub fn geometries(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<Geometry>>> {
        let (array, field) = self.column(column)?;
        let stated = geometry::stated_crs(&self.name, &field)?;
        let is_stated = stated.is_some() || self.crs.is_some();
        let crs = self.crs_of(column, stated)?;
        let decoded = geometry::decode(&self.name, &array, &field, &Passage::new(crs, self.analysis))?;
        if !is_stated && geometry::are_no_degrees(&decoded) {
            return Err(Problem::of_file(&self.name, Fault::MissingCrs).in_column(column).into());
        }
        let is_drawn = |found: &std::result::Result<Geometry, Fault>| {
            found.as_ref().is_ok_and(|found| found.dimensions() > Dimensions::ZeroDimensional)
        };
        if geometry::is_spherical(&field) && decoded.iter().any(is_drawn) {
            problems.push(Problem::of_file(&self.name, Fault::SphericalEdges).in_column(column));
        }
        let keep = |(row, decoded): (usize, std::result::Result<Geometry, Fault>)| {
            let fault = |fault| self.broken.get(&row).cloned().unwrap_or(fault);
            decoded.map_err(|found| problems.push(self.problem(row, column, None, fault(found)))).ok()
        };
        Ok(decoded.into_iter().enumerate().map(keep).collect())
    }

    /// The system that the places are stated in: what the column that [`Self::located`] takes says, else the user, else WGS-84.
    ///
    /// # Errors
    /// A problem when the system cannot be read, or contradicts what the user says.
    pub fn stated_crs(&self) -> Result<Crs> {
        let by_numbers = ["lon", "x"].into_iter().any(|axis| self.has(axis));
        let Some(column) = self.geometry_column().filter(|_| !by_numbers) else {
            return self.crs_of("lon, lat", None);
        };
        let (_, field) = self.column(&column)?;
        self.crs_of(&column, geometry::stated_crs(&self.name, &field)?)
    }

    /// The system of a column that says it is in `stated`; results in GCJ-02 and BD-09 say theirs for the whole table.
    fn crs_of(&self, column: &str, stated: Option<String>) -> Result<Crs> {
        let problem = |fault, value: &str| -> Error {
            Problem::of_file(&self.name, fault).in_column(column).with_value(value).into()
        };
        let label = || self.batch.schema().metadata().get(geometry::ANALYSIS_CRS).cloned();
        let Some(name) = stated.or_else(label) else {
            return match &self.crs {
                None if self.needs_crs => Err(Problem::of_file(&self.name, Fault::MissingCrs).into()),
                crs => Ok(crs.clone().unwrap_or(Crs::WGS84)),
            };
        };
        let stated = Crs::from_name(&name).ok_or_else(|| problem(Fault::UnsupportedCrs, &name))?;
        match &self.crs {
            None => Ok(stated),
            Some(said) if *said == stated || stated.is_wgs84() && said.is_degrees() => Ok(said.clone()),
            Some(said) => Err(problem(Fault::CrsContradicts { said: said.to_string() }, &name)),
        }
    }
}

/// The fault of a number outside its declared range.
pub(super) fn out_of_range(rule: Rule, number: f64) -> Option<Fault> {
    match rule {
        Rule::Number { range, .. } if !rule.allows(number) => Some(Fault::OutOfRange { range }),
        _ => None,
    }
}

/// A number as programs print it. A comma is the decimal point where the table says so, or where it cannot stand for
/// thousands; "1,234" could be either and is none.
fn number(text: &str, decimal_comma: bool) -> Option<f64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (whole, decimals) = text.split_once(',')?;
    let plain = decimals.bytes().all(|digit| digit.is_ascii_digit()) && !whole.contains('.');
    if !plain || decimals.len() == 3 && !decimal_comma {
        return None;
    }
    format!("{whole}.{decimals}").parse().ok()
}

/// The numbers, when every text is one exactly as it would be printed: "007" is a name.
fn whole_numbers(text: &[String]) -> Option<Vec<i64>> {
    text.iter().map(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == *text)).collect()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_comma_is_decimal_where_it_can_be_nothing_else() {
        assert_eq!(number("29.5", false), Some(29.5));
        assert_eq!(number("29,56", false), Some(29.56));
        assert_eq!(number("-0,5", true), Some(-0.5));
        assert_eq!(number("1,234", true), Some(1.234));
        for text in ["1,234", "1,2,3", "1.234,5", "1,5e3", ",", "a,5", "1,-5"] {
            assert_eq!(number(text, false), None, "{text}");
        }
    }
}
