//! What a person does on the Integrations pages: connect, repair, hand over, disconnect, link, unlink, delete.
mod access;
mod authorize;
mod checks;
mod companies;
mod delete_company;
mod disconnect;
mod keep_alive;
mod reconnect_link;
mod token_user;

pub use access::{Access, access, mixed_environment};
pub use authorize::{CallbackQuery, Facts, Outcome, Who, finish, finish_link, start};
pub use checks::{Checks, check_companies};
pub use companies::{ImportReport, finish_setup, import_all, link, unlink};
pub use delete_company::{Deleted, delete_company};
pub use disconnect::{Data, Disconnected, disconnect, retry_revocations};
pub use keep_alive::keep_alive;
pub use reconnect_link::{follow_link, mail_reconnect_link, make_reconnect_link};
pub use token_user::{Moved, Target, check_token_user, update_token_user};

use crate::Engine;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};
use store::connection_events::NewEvent;
use store::{StoreError, Tx};

macro_rules! happenings {
    ($($variant:ident = $word:literal, $sentence:literal;)*) => {
        /// What the history of an account tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Happening { $($variant),* }
        impl Happening {
            pub fn as_str(self) -> &'static str { match self { $(Happening::$variant => $word),* } }
            pub fn parse(word: &str) -> Option<Happening> { match word { $($word => Some(Happening::$variant),)* _ => None } }
            /// What a person reads; a company's name and the person follow.
            pub fn sentence(self) -> &'static str { match self { $(Happening::$variant => $sentence),* } }
        }
    };
}

happenings! {
    Connected = "connected", "Connected";
    Refused = "refused", "Refused by the provider";
    Reconnected = "reconnected", "Reconnected";
    LinkMade = "link_made", "Reconnect link made";
    ReconnectedByLink = "reconnected_by_link", "Reconnected through a link";
    Disconnected = "disconnected", "Disconnected";
    GainedCompany = "gained_company", "Took over";
    LostCompany = "lost_company", "Handed over";
    DeletedCompany = "deleted_company", "Deleted a company with all of its data";
}

/// One line of an account's history, in the caller's transaction.
pub(crate) async fn note(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    what: Happening,
    user_id: Option<&UserId>,
    company_id: Option<&CompanyId>,
) -> Result<(), StoreError> {
    let event = NewEvent { id: engine.make_id(), organization_id, connection_id, kind: what.as_str(), user_id, company_id, now_ms: engine.now_ms() };
    store::connection_events::insert(tx, &event).await
}
