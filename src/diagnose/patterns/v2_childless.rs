//! V2-CHILDLESS: the IKE SA starts without a child SA on purpose.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{AuthAnswer, Suite};
use crate::diagnose::words::span;
use crate::track::{Label, Side};

use super::ikev2::{self, notify};

pattern! {
    /// ## What is seen
    ///
    /// CHILDLESS_IKEV2_SUPPORTED (16418) in clear in the IKE_SA_INIT response; request and response of IKE_AUTH are both too
    /// short for a child SA; CREATE_CHILD_SA may follow later.
    ///
    /// ## What it means
    ///
    /// The initiator asked for an IKE SA only (RFC 6023). Child SAs are made when there is traffic for them.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-CHILD-REJECT`: the answer has the same length, and the request is longer by a whole child SA.
    V2_CHILDLESS = "V2-CHILDLESS", IkeV2, Info;
    title: "the IKE SA starts without a child SA on purpose";
    causes: [
        "on-purpose" 1.00 "the initiator is set up for a childless start", raised by "", lowered by "";
    ];
    checks: [
        Initiator: "nothing has to be done; without a child SA when one is needed, see why the initiator does not ask for one";
    ];
    logs: [];
    sources: ["RFC 6023 §3"];
    when: V2 CHILDLESS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let offer = view
                .clear_notifies(Side::Responder)
                .find(|notify| notify.notify_message_type == notify::CHILDLESS_IKEV2_SUPPORTED)?;
            let request = view.message(Label::AUTH_REQ)?;
            let response = view.last_auth_response()?;
            let single = view.auth_exchanges().nth(1).is_none();
            let suite = Suite::chosen(view.attempt)?;
            let childless = view.auth_answer()? == AuthAnswer::NoChild
                && suite.asks_no_child(request, response) == Some(true)
                && view.turned_down().is_none();
            if !single || !childless {
                return None;
            }
            let later = match view.child_created() {
                Some(at) => format!("a child SA followed after {}", span(at.since(response.at))),
                None => "no child SA followed".to_owned(),
            };
            Some(
                Match::on(index, Confidence::Suspected)
                    .seen(format!("the responder allows it in clear, and neither IKE_AUTH message has room for a child SA; {later}"))
                    .means("the initiator asked for the IKE SA alone; child SAs come when they are needed")
                    .settle("the initiator's configuration")
                    .frames([offer.message.frame, request.frame, response.frame]),
            )
        })
        .collect()
}
