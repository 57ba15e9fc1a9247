//! What changed between two reports of one session: findings raised, and findings withdrawn.
//!
//! Contract: what was raised and not withdrawn is what the latest report holds, one finding a pair and id.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::report::{Finding, Report};

/// Findings that stand.
#[derive(Debug, Default)]
pub struct Standing {
    findings: BTreeMap<Key, Finding>,
}

/// A finding keeps its place as long as it is about the same pair and of the same id.
type Key = (Option<(IpAddr, IpAddr)>, &'static str);

/// A finding came, or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new, or its severity or confidence is.
    Raised {
        /// Its pair.
        pair: Option<(IpAddr, IpAddr)>,
        /// As it stands in the report.
        finding: Finding,
        /// Severity or confidence changed; it was raised before.
        again: bool,
        /// The verdict about its pair now.
        verdict: Option<&'static str>,
    },
    /// It no longer holds.
    Withdrawn {
        /// Its pair.
        pair: Option<(IpAddr, IpAddr)>,
        /// As it was raised last.
        finding: Finding,
        /// The verdict about its pair now.
        verdict: Option<&'static str>,
    },
}

impl Standing {
    /// What `report` changes: first what is withdrawn, by pair and id, then what is raised, in the report's order.
    pub fn update(&mut self, report: &Report) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut now: BTreeMap<Key, &Finding> = BTreeMap::new();
        for finding in &report.findings {
            // the worst of one id comes first
            now.entry(key(report, finding)).or_insert(finding);
        }
        let gone: Vec<Key> = self.findings.keys().filter(|key| !now.contains_key(*key)).copied().collect();
        if !gone.is_empty() {
            let verdicts: HashMap<_, _> = report.pairs.iter().map(|pair| ((pair.a, pair.b), pair.verdict)).collect();
            for key in gone {
                let Some(finding) = self.findings.remove(&key) else { continue };
                let verdict = key.0.and_then(|pair| verdicts.get(&pair).copied()?);
                changes.push(Change::Withdrawn { pair: key.0, finding, verdict });
            }
        }
        for finding in &report.findings {
            let key = key(report, finding);
            if !now.get(&key).is_some_and(|first| std::ptr::eq(*first, finding)) {
                continue;
            }
            let before = self.findings.insert(key, finding.clone());
            let weight = |finding: &Finding| (finding.severity, finding.confidence);
            if before.as_ref().is_none_or(|before| weight(before) != weight(finding)) {
                let again = before.is_some();
                let verdict = finding.pair.and_then(|pair| report.pair(pair)?.verdict);
                changes.push(Change::Raised { pair: key.0, finding: finding.clone(), again, verdict });
            }
        }
        changes
    }
}

fn key(report: &Report, finding: &Finding) -> Key {
    (finding.pair.and_then(|pair| report.pair(pair)).map(|pair| (pair.a, pair.b)), finding.id)
}
