//! Findings as one page that opens anywhere: no script, nothing fetched, every text of the data escaped.

use crate::model::error::{Error, Result};
use crate::model::finding::{Finding, Findings, Tally};
use crate::model::problem::Level;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Rows shown for each kind of finding; the table beside the page holds all.
const ROWS_SHOWN: usize = 200;

const STYLE: &str = "body{font:15px/1.5 system-ui,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;\
max-width:76rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%;margin:.5rem 0}\
th,td{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left;vertical-align:top}th{background:#f4f4f4}\
td.number{text-align:right;font-variant-numeric:tabular-nums}td.value{font-family:monospace;word-break:break-all}\
summary{cursor:pointer;padding:.35rem 0}.level{display:inline-block;min-width:7.5em;padding:0 .5em;border-radius:3px;\
color:#fff}.error{background:#a50026}.rejected{background:#b35806}.warning{background:#5e4fa2}.note{background:#4d4d4d}\
.verdict{font-size:1.1rem;padding:.6rem 1rem;border-left:.4rem solid}.ready{border-color:#1a7837;background:#eef7ef}\
.refused{border-color:#a50026;background:#fbeeee}.more,.zh{color:#444}";

/// Write the page to a new file and wait until it is on the disk.
///
/// # Errors
/// When the file exists or the file system refuses.
pub fn write(path: &Path, title: &str, findings: &Findings) -> Result<()> {
    let mut file = File::create_new(path).map_err(Error::file(path))?;
    let page = to_html(title, findings);
    file.write_all(page.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file(path))
}

/// The whole page.
pub fn to_html(title: &str, findings: &Findings) -> String {
    let mut page = String::new();
    let name = escape(title);
    let _ = write!(
        page,
        "<!doctype html><html lang=\"zh\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name} · 数据检查 Data check</title>\
         <style>{STYLE}</style></head><body><h1>{name} · 数据检查报告 Data check</h1>"
    );
    verdict(&mut page, findings);
    tallies(&mut page, &findings.tallies);
    page.push_str("<h2>问题 Findings</h2>");
    if findings.all.is_empty() {
        page.push_str("<p>没有发现问题。Nothing was found.</p>");
    }
    for group in groups(&findings.all) {
        one_kind(&mut page, &group);
    }
    let _ = write!(page, "<p class=\"more\">walkshed {}</p></body></html>", env!("CARGO_PKG_VERSION"));
    page
}

fn verdict(page: &mut String, findings: &Findings) {
    page.push_str(if findings.ready() {
        "<p class=\"verdict ready\">可以运行：未采用的行均已列出。Ready to run; every row that is left out is listed.</p>"
    } else {
        "<p class=\"verdict refused\">不能运行：请先更正下列错误。Refused: correct the errors below first.</p>"
    });
}

/// Rows in, accepted and rejected, by input.
fn tallies(page: &mut String, tallies: &[Tally]) {
    if tallies.is_empty() {
        return;
    }
    page.push_str(
        "<h2>行数 Rows</h2><table><tr><th>数据 Input</th><th>文件 File</th><th>单位 Unit</th><th>读入 In</th>\
         <th>采用 Accepted</th><th>未采用 Rejected</th></tr>",
    );
    for tally in tallies {
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td>",
            input_name(tally.input),
            escape(&tally.file),
            unit_name(tally.unit)
        );
        for number in [tally.rows, tally.accepted, tally.rejected] {
            let _ = write!(page, "<td class=\"number\">{number}</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

/// What an input is called on the page.
fn input_name(input: &str) -> &str {
    match input {
        "streets" => "道路 streets",
        "facilities" => "设施 facilities",
        "population" => "人口 population",
        "areas" => "分区 areas",
        "edges" => "路段 edges",
        "raster" => "栅格 raster",
        "table" => "表 table",
        other => other,
    }
}

/// What a unit is called on the page.
fn unit_name(unit: &str) -> &str {
    match unit {
        "rows" => "行 rows",
        "ways" => "道路 ways",
        "pixels" => "像元 pixels",
        other => other,
    }
}

/// Findings of one level and code that stand together; the order is that of the findings.
fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let same = |group: &&mut Vec<&Finding>| {
            group[0].level == finding.level && group[0].problem.fault.code() == finding.problem.fault.code()
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn one_kind(page: &mut String, group: &[&Finding]) {
    let (level, fault) = (group[0].level, &group[0].problem.fault);
    let fix = fault.fix();
    let open = if level == Level::Error { " open" } else { "" };
    let _ = write!(
        page,
        "<details{open}><summary><span class=\"level {}\">{}</span> <b>{}</b> × {} — {} <span class=\"zh\">{}</span></summary>\
         <table><tr><th>文件 File</th><th>行 Row</th><th>编号 Id</th><th>列 Column</th><th>值 Value</th>\
         <th>含义 What it means</th></tr>",
        level.name(),
        label(level),
        fault.code(),
        group.len(),
        escape(&fix.en),
        escape(&fix.zh),
    );
    for finding in group.iter().take(ROWS_SHOWN) {
        one_row(page, finding);
    }
    page.push_str("</table>");
    if group.len() > ROWS_SHOWN {
        let more = group.len() - ROWS_SHOWN;
        let _ = write!(
            page,
            "<p class=\"more\">另有 {more} 条，见 findings.parquet。{more} more in findings.parquet.</p>"
        );
    }
    page.push_str("</details>");
}

fn one_row(page: &mut String, finding: &Finding) {
    let problem = &finding.problem;
    let text = |value: &Option<String>| value.as_deref().map(escape).unwrap_or_default();
    let row = problem.row.map(|row| row.to_string()).unwrap_or_default();
    let what = problem.fault.what();
    let _ = write!(
        page,
        "<tr><td>{}</td><td class=\"number\">{row}</td><td>{}</td><td>{}</td><td class=\"value\">{}</td>\
         <td>{}<br><span class=\"zh\">{}</span></td></tr>",
        escape(&problem.file),
        text(&problem.id),
        text(&problem.column),
        text(&problem.value),
        escape(&what.en),
        escape(&what.zh),
    );
}

const fn label(level: Level) -> &'static str {
    match level {
        Level::Error => "错误 error",
        Level::Rejected => "未采用 rejected",
        Level::Warning => "警告 warning",
        Level::Note => "提示 note",
    }
}

/// Text of the data as text of a page, whatever it says.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::{Fault, Problem};

    #[test]
    fn a_name_that_is_a_script_stays_a_name_and_long_lists_are_cut_with_a_word() {
        let nasty = "<script>alert('x')</script>&\"";
        let rows = (1..=ROWS_SHOWN as u64 + 7).map(|row| {
            Problem::of_file(nasty, Fault::NotANumber).at_row(row).with_value(nasty).with_id(nasty)
        });
        let tally = Tally {
            input: "facilities",
            file: nasty.into(),
            unit: "rows",
            rows: 9,
            accepted: 2,
            rejected: 7,
        };
        let page = to_html(nasty, &Findings::new(vec![], rows.collect(), vec![tally]));
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
        assert!(page.contains("7 more in findings.parquet") && page.contains("Ready to run"));
        assert_eq!(page.matches("<tr><td>&lt;script").count(), ROWS_SHOWN);
        assert!(page.contains("设施 facilities") && page.contains("行 rows"));
        assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());
    }

    #[test]
    fn what_stops_the_work_stands_first_and_open() {
        let error = Problem::of_file("a.csv", Fault::EmptyTable);
        let row = Problem::of_file("b.csv", Fault::MissingValue).at_row(3);
        let page = to_html("s", &Findings::new(vec![error], vec![row], vec![]));
        let (first, second) = (page.find("empty_table").unwrap(), page.find("missing_value").unwrap());
        assert!(first < second && page.contains("<details open>") && page.contains("Refused"));
    }
}
