//! Solved tickets are closed once their time has passed (docs/behaviour/tickets.md).

use crate::edit::{Action, Origin};
use crate::id::TicketId;
use crate::ticket::Status;
use crate::writer::Writer;

impl Writer<'_> {
    /// Closes a solved ticket whose facts are loaded, in the name of the desk itself. Returns whether it was
    /// one.
    pub fn close(&mut self, id: TicketId) -> bool {
        let Some(mut edit) = self.edit(id, Origin::system(self.now)) else { return false };
        if edit.ticket().status != Status::Solved || edit.apply(Action::SetStatus(Status::Closed)).is_err() {
            return false;
        }
        self.finish(edit);
        true
    }
}
