//! What was offered and what was chosen, the choice marked in the offer.

use std::io::{self, Write};

use crate::report::model::{Attempt, Proposal, Transform};

use super::{Page, Words};

/// Lines of an offer that are printed.
const SHOWN: usize = 12;

/// One line of an offer: what a responder may choose as a whole (IKEv1: a transform, IKEv2: a proposal).
pub struct Line {
    /// Its number on the wire.
    pub number: u8,
    /// In words.
    pub text: String,
    /// The transform it stands for (IKEv1).
    transform: Option<Transform>,
    protocol: Option<&'static str>,
}

/// The lines of a proposal.
pub fn lines(proposal: &Proposal) -> Vec<Line> {
    let v1 = proposal.transforms.iter().any(|transform| transform.number.is_some());
    let line =
        |number, text: &str, transform| Line { number, text: text.into(), transform, protocol: proposal.protocol };
    if v1 {
        let transforms = proposal.transforms.iter();
        transforms.map(|part| line(part.number.unwrap_or_default(), &part.text, Some(part.clone()))).collect()
    } else {
        vec![line(proposal.number, &proposal.text, None)]
    }
}

/// Prints the offer and the choice of an attempt.
pub fn print(page: &mut Page<'_, impl Write>, attempt: &Attempt) -> io::Result<()> {
    const NAME: usize = 12;
    let palette = page.palette;
    let offered: Vec<Line> = attempt.offered.iter().flat_map(lines).collect();
    let chosen: Vec<Line> = attempt.chosen.iter().flat_map(lines).collect();
    let name = |text: &str| Words::of("  ").and_inked(palette.label, text.to_string()).padded(NAME);
    let hang = Words::of(" ".repeat(if chosen.is_empty() { NAME + 3 } else { NAME + 5 }));

    let mut told = false;
    for (index, line) in offered.iter().enumerate() {
        let is_chosen = chosen.iter().any(|choice| is_choice(line, choice));
        if index >= SHOWN && !is_chosen {
            continue;
        }
        let mark = if is_chosen { Words::inked(palette.good, "✓") } else { Words::of(" ") };
        let head = name(if index == 0 { "offered" } else { "" }).and(format!("{:>2} ", line.number));
        let head = if chosen.is_empty() { head } else { head.join(mark).and(" ") };
        told |= is_chosen && chosen.iter().any(|choice| choice.text == line.text);
        let words = Words::inked(if is_chosen { palette.good } else { Default::default() }, line.text.clone());
        page.wrapped(head, &hang, &words)?;
    }
    if offered.len() > SHOWN {
        let left = offered.len() - SHOWN;
        page.line(&name("").and_inked(palette.faint, format!("… {left} more, not shown here")))?;
    }
    if told || chosen.is_empty() {
        return Ok(());
    }
    for choice in &chosen {
        let head = name("chosen").and(format!("{:>2} ", choice.number)).and_inked(palette.good, "✓").and(" ");
        let was_offered = offered.is_empty() || offered.iter().any(|line| is_choice(line, choice));
        let mut words = Words::inked(palette.good, choice.text.clone());
        if !was_offered {
            words = words.and_inked(palette.error, ", which was not offered");
        }
        page.wrapped(head, &hang, &words)?;
    }
    Ok(())
}

/// Whether `choice` is what a responder makes of `line`. IKEv1 responders may change lifetimes, so only what is
/// negotiated is compared; in IKEv2 the number of the proposal tells.
fn is_choice(line: &Line, choice: &Line) -> bool {
    const NEGOTIATED: [u16; 7] = [1, 2, 3, 4, 5, 13, 14];
    match (&line.transform, &choice.transform) {
        (Some(offer), Some(chosen)) => {
            let negotiated = |transform: &Transform| {
                let mut attributes: Vec<_> = transform
                    .attributes
                    .iter()
                    .filter(|attribute| NEGOTIATED.contains(&attribute.attribute_type))
                    .map(|attribute| (attribute.attribute_type, format!("{:?}", attribute.value)))
                    .collect();
                attributes.sort();
                attributes
            };
            line.protocol == choice.protocol
                && offer.transform_id == chosen.transform_id
                && negotiated(offer) == negotiated(chosen)
        }
        _ => line.protocol == choice.protocol && line.number == choice.number,
    }
}
