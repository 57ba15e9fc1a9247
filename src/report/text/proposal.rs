//! What was offered and what was chosen, the choice marked in the offer.

use std::io::{self, Write};

use crate::report::model::{Attempt, AttributeValue, Proposal, Transform};

use super::{Page, Words};

/// Lines of an offer that are printed.
const SHOWN: usize = 12;

/// One line of an offer: what a responder may choose as a whole (IKEv1: a transform, IKEv2: a proposal).
pub struct Line {
    /// Its number on the wire.
    pub number: u8,
    /// In words.
    pub text: String,
    protocol: Option<&'static str>,
    /// What there is to choose from: one transform (IKEv1), or several of each type (IKEv2).
    transforms: Vec<Transform>,
}

/// The lines of a proposal.
pub fn lines(proposal: &Proposal) -> Vec<Line> {
    let protocol = proposal.protocol;
    let v1 = proposal.transforms.iter().any(|transform| transform.number.is_some());
    if !v1 {
        let (text, transforms) = (proposal.text.clone(), proposal.transforms.clone());
        return vec![Line { number: proposal.number, text, protocol, transforms }];
    }
    let line = |transform: &Transform| Line {
        number: transform.number.unwrap_or_default(),
        text: transform.text.clone(),
        protocol,
        transforms: vec![transform.clone()],
    };
    proposal.transforms.iter().map(line).collect()
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

/// Whether `choice` can be made from `line`. Lifetimes are left out, because responders may shorten them.
fn is_choice(line: &Line, choice: &Line) -> bool {
    let is_offered = |chosen: &Transform| line.transforms.iter().any(|offer| negotiated(offer) == negotiated(chosen));
    line.protocol == choice.protocol && choice.transforms.iter().all(is_offered)
}

type Negotiated<'a> = (Option<u8>, u16, Vec<(u16, &'a AttributeValue)>);

/// What both sides have to agree on, in an order of its own.
fn negotiated(transform: &Transform) -> Negotiated<'_> {
    /// Phase 1 attributes of IKEv1 without lifetimes; 14 is the key length of both versions.
    const AGREED: [u16; 7] = [1, 2, 3, 4, 5, 13, 14];
    let mut attributes: Vec<_> = transform
        .attributes
        .iter()
        .filter(|attribute| AGREED.contains(&attribute.attribute_type))
        .map(|attribute| (attribute.attribute_type, &attribute.value))
        .collect();
    attributes.sort_by_key(|(attribute_type, _)| *attribute_type);
    (transform.transform_type, transform.transform_id, attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::proposal::proposal;
    use crate::report::sample::{v1_transform, v2_transform};
    use crate::track::{ProposalFact, TransformFact};

    fn row(major: u8, transforms: Vec<TransformFact>) -> Vec<Line> {
        lines(&proposal(major, &ProposalFact { number: 1, protocol_id: 1, spi: Box::default(), transforms }))
    }

    #[test]
    fn an_ikev1_choice_is_one_transform_whatever_its_lifetime() {
        let offer = row(1, vec![v1_transform(1, 5, None, 2, 1, 2), v1_transform(2, 7, Some(128), 4, 1, 14)]);
        let mut shorter = v1_transform(2, 7, Some(128), 4, 1, 14);
        shorter.attributes.last_mut().unwrap().number = Some(3600);
        let choice = row(1, vec![shorter]);
        assert_eq!(offer.iter().map(|line| is_choice(line, &choice[0])).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn an_ikev2_choice_takes_of_each_type_what_was_offered() {
        let offer =
            row(2, vec![v2_transform(1, 12, Some(256)), v2_transform(1, 12, Some(128)), v2_transform(4, 14, None)]);
        assert!(is_choice(&offer[0], &row(2, vec![v2_transform(1, 12, Some(128)), v2_transform(4, 14, None)])[0]));
        assert!(!is_choice(&offer[0], &row(2, vec![v2_transform(1, 12, Some(192)), v2_transform(4, 14, None)])[0]));
        assert!(!is_choice(&offer[0], &row(2, vec![v2_transform(4, 12, None)])[0]));
    }
}
