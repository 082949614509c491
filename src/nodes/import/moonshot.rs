//! HPE Moonshot's listing of MACs, as the chassis manager prints it for `show node macaddr all`:
//!
//! ```text
//! Slot ID    NIC 1 (Switch A)  NIC 2 (Switch B)  NIC 3 (Switch A)  NIC 4 (Switch B)
//! ---- ----- ----------------- ----------------- ----------------- -----------------
//!   1  c1n1  a0:1d:48:b5:04:34 a0:1d:48:b5:04:35 a0:1d:48:b5:04:36 a0:1d:48:b5:04:37
//! ```

use super::super::mac::canonical_mac;
use super::{Found, Listing, read_mac};
use crate::values::Problem;

const WANTED: &str = "wanted is a row of `show node macaddr all`: the slot, the node's ID and its MACs, as in \
                      ` 1  c1n1  a0:1d:48:b5:04:34 a0:1d:48:b5:04:35`";

pub fn read(listing: &Listing, found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    for (origin, line) in listing.lines() {
        if line.is_empty() || is_around(line) {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let row = match words.split_first_chunk() {
            Some(([slot, node], cells)) if is_slot(slot) && is_node(node) => {
                Some((slot, node, cells))
            }
            _ => None,
        };
        let Some((slot, node, cells)) = row else {
            let problem = Problem::error("not a row of this listing").at(origin);
            problems.push(problem.help(WANTED));
            continue;
        };
        let mut machine = Found::at(origin.clone());
        machine.facts = vec![("slot", (*slot).to_owned()), ("node", (*node).to_owned())];
        // A row without a MAC is about a cartridge that is not there, in words.
        if !cells
            .iter()
            .any(|cell| cell.contains(':') || canonical_mac(cell).is_some())
        {
            let problem = Problem::warning(format!("{node} has no MAC, and is left out"));
            problems.push(problem.at(origin));
            continue;
        }
        let cells = cells.iter().filter(|cell| !is_nothing(cell));
        let macs = cells.filter_map(|cell| read_mac(cell, &origin, problems));
        machine.macs = macs.collect();
        found.push(machine);
    }
}

/// Whether a line is a header, a rule, or what was typed at a prompt.
fn is_around(line: &str) -> bool {
    let is_header = line.starts_with("Slot") && line.contains("NIC");
    let is_rule = line.bytes().all(|byte| matches!(byte, b'-' | b' '));
    let is_typed = line.contains("show node macaddr") || line.ends_with('>');
    is_header || is_rule || is_typed
}

fn is_slot(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `c1n1`: the cartridge and its node.
fn is_node(word: &str) -> bool {
    let numbers = word.strip_prefix('c').and_then(|rest| rest.split_once('n'));
    let is_number = |text: &str| !text.is_empty() && is_slot(text);
    numbers.is_some_and(|(cartridge, node)| is_number(cartridge) && is_number(node))
}

fn is_nothing(cell: &str) -> bool {
    cell.eq_ignore_ascii_case("n/a") || cell.bytes().all(|byte| byte == b'-')
}
