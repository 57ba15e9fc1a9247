//! Proposals kept as they stood on the wire.

use crate::isakmp::payload::{AttributeValue, SecurityAssociation};

use super::facts::{AttributeFact, ProposalFact, TransformFact};

/// Proposals, transforms of one proposal and attributes of one transform that are kept.
const MOST: usize = 128;
/// Octets kept of a long attribute value.
const VALUE_OCTETS: usize = 64;

/// All proposals of an SA payload, in order.
pub fn proposals(sa: &SecurityAssociation<'_>) -> Vec<ProposalFact> {
    sa.proposals()
        .take(MOST)
        .map(|proposal| ProposalFact {
            number: proposal.number,
            protocol_id: proposal.protocol_id,
            spi: proposal.spi.into(),
            transforms: proposal
                .transforms()
                .take(MOST)
                .map(|transform| TransformFact {
                    number: transform.number,
                    transform_type: transform.transform_type,
                    transform_id: transform.transform_id,
                    attributes: transform
                        .attributes()
                        .take(MOST)
                        .map(|attribute| AttributeFact {
                            attribute_type: attribute.attribute_type,
                            number: attribute.value.number(),
                            octets: match attribute.value {
                                AttributeValue::Short(_) => None,
                                AttributeValue::Long(octets) => {
                                    Some(octets.iter().copied().take(VALUE_OCTETS).collect())
                                }
                            },
                        })
                        .collect(),
                })
                .collect(),
        })
        .collect()
}
