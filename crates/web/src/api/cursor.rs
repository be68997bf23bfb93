//! Cursors: where the next page of a list begins, sealed, so that one of another organization or another filter does not open.
use super::caller::Caller;
use super::error::ApiError;
use crate::app::App;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a cursor belongs to: a list, its filter, and who asks.
pub struct Place<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub list: &'static str,
    /// Everything but limit and cursor, in a fixed form.
    pub filter: String,
}

impl Place<'_> {
    fn row(&self) -> String {
        format!("{}|{}|{}|{}", self.caller.organization_id, self.caller.key_id, self.list, self.filter)
    }

    pub fn seal(&self, position: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.app.engine.store.seal_cursor(&self.row(), position))
    }

    /// The position; an altered cursor, or one of another list, is refused.
    pub fn open(&self, cursor: Option<&str>) -> Result<Option<String>, ApiError> {
        let Some(cursor) = cursor else { return Ok(None) };
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok();
        let position = sealed.and_then(|sealed| self.app.engine.store.open_cursor(&self.row(), &sealed).ok());
        position.map(Some).ok_or_else(|| ApiError::bad("This cursor does not belong to this list and these filters. Start without one."))
    }

    /// The cursor after the last of `rows`, of which one more than `limit` was asked for.
    pub fn next<T>(&self, rows: &mut Vec<T>, limit: usize, position: impl Fn(&T) -> String) -> Option<String> {
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        rows.last().map(|last| self.seal(&position(last)))
    }
}
