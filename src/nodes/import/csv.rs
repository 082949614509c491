//! Tables with a header: name, mac, ip, pool, tags.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Found, Listing, read_address, read_mac, read_name, refused};
use crate::farm::spec::{Tag, Text as _};
use crate::values::{Origin, Problem};

const COLUMNS: [&str; 5] = ["name", "mac", "ip", "pool", "tags"];
const WANTED: &str = "wanted is a header of name, mac, ip, pool and tags, in any order, of which only mac has to be there";

pub fn read(listing: &Listing, found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    let text = listing.text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<&'static str>> = None;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let problem = Problem::error(format!("not a row of CSV: {error}"));
                return problems.push(problem.at(place(listing, error.position())));
            }
        };
        let origin = place(listing, record.position());
        match &columns {
            None => match header(&record) {
                Ok(known) => columns = Some(known),
                Err(problem) => return problems.push(problem.at(origin)),
            },
            Some(columns) => row(columns, &record, origin, found, problems),
        }
    }
    if columns.is_none() {
        problems.push(
            Problem::error("there is no header")
                .at(listing.line(1))
                .help(WANTED),
        );
    }
}

/// The line of a row. Its position is where the reader began to look for it, before comments and empty lines.
fn place(listing: &Listing, position: Option<&csv::Position>) -> Origin {
    let line = position.map_or(1, csv::Position::line);
    let line = usize::try_from(line).unwrap_or(usize::MAX);
    let lines = listing.text.lines().skip(line.saturating_sub(1));
    let others = lines.take_while(|line| line.is_empty() || line.starts_with('#'));
    listing.line(line.saturating_add(others.count()))
}

/// What stands between the columns of the header: spreadsheets write semicolons where commas are decimal points.
fn delimiter(text: &str) -> u8 {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let header = rows.into_iter().find(|line| !line.trim().is_empty());
    let header = header.unwrap_or_default();
    let other = [';', '\t'].into_iter().find(|sign| header.contains(*sign));
    match other.filter(|_| !header.contains(',')) {
        Some('\t') => b'\t',
        Some(_) => b';',
        None => b',',
    }
}

fn header(record: &StringRecord) -> Result<Vec<&'static str>, Problem> {
    let mut columns = Vec::new();
    for cell in record {
        let known = COLUMNS
            .iter()
            .find(|column| cell.eq_ignore_ascii_case(column));
        let Some(known) = known else {
            let problem = Problem::error(format!("`{cell}` is not a column"));
            return Err(problem.help_nearest(cell, &COLUMNS, WANTED));
        };
        if columns.contains(known) {
            return Err(Problem::error(format!("the column {known} is there twice")));
        }
        columns.push(*known);
    }
    if columns.contains(&"mac") {
        Ok(columns)
    } else {
        Err(Problem::error("there is no column mac").help(WANTED))
    }
}

fn row(
    columns: &[&str],
    record: &StringRecord,
    origin: Origin,
    found: &mut Vec<Found>,
    problems: &mut Vec<Problem>,
) {
    if record.len() > columns.len() {
        let (has, wants) = (record.len(), columns.len());
        let problem = Problem::error(format!("{has} cells in a row, and the header has {wants}"));
        let help = "several MACs, addresses or tags in a cell are separated by spaces, or quoted";
        return problems.push(problem.at(origin).help(help));
    }
    let mut machine = Found::at(origin.clone());
    let cells = columns
        .iter()
        .zip(record)
        .filter(|(_, cell)| !cell.is_empty());
    for (column, cell) in cells {
        match *column {
            "name" => machine.name = read_name(cell, &origin, problems),
            "mac" => {
                let macs = items(cell).filter_map(|text| read_mac(text, &origin, problems));
                machine.macs.extend(macs);
            }
            "ip" => {
                let addresses =
                    items(cell).filter_map(|text| read_address(text, &origin, problems));
                machine.addresses.extend(addresses);
            }
            "pool" => machine.pool = Some(cell.to_owned()),
            _ => {
                for text in items(cell) {
                    match Tag::parse(text.to_owned()) {
                        Ok(tag) => machine.tags.push(tag),
                        Err(refusal) => problems.push(refused(refusal, &origin)),
                    }
                }
            }
        }
    }
    let has_mac = columns.iter().zip(record);
    let has_mac = has_mac
        .into_iter()
        .any(|(column, cell)| *column == "mac" && !cell.is_empty());
    if has_mac {
        found.push(machine);
    } else {
        let problem = Problem::error("a machine without a MAC").at(origin);
        problems.push(problem.help("DHCP recognises it by that: 02:00:00:40:01:0a"));
    }
}

/// What a cell has, between spaces, commas or semicolons.
fn items(cell: &str) -> impl Iterator<Item = &str> {
    let items = cell.split([' ', ',', ';']);
    items.filter(|item| !item.is_empty())
}
