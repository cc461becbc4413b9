//! Whose the blobs are: the object `desk.id` among them and a row of the database hold the same identity.
//!
//! A sweep removes what no row names, and two desks give the same names. A desk whose `blobs.url` is another one's by mistake
//! would so remove or overwrite that one's mail.

use futures_util::StreamExt as _;

use crate::blob::Blobs;
use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{Store, Tx, values};

/// How long a place that was found to be ours is not looked at again before a blob is written.
const LOOKED_FOR: std::time::Duration = std::time::Duration::from_secs(5);
/// How long reading the object may take.
const MARKER_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// The object's name; no blob has it.
const NAME: &str = "desk.id";

/// The row of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    identity: String,
    /// Whether the object was there once.
    is_written: bool,
}

impl Store {
    /// Makes sure that the blobs are this database's own. The first time, both get an identity. Idempotent; safe alongside other
    /// nodes.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when they are another desk's, or may be; as database and object store say.
    pub(crate) async fn own_blobs(&self) -> Result<()> {
        let marker = self.blobs().marker().await?;
        let kept = match (self.read_now(find).await?, &marker) {
            (Some(kept), _) => kept,
            (None, Some(marker)) => return Err(foreign(marker, None)),
            (None, None) => {
                let (has_any, is_empty) =
                    (self.read_now(crate::account::has_any).await?, self.blobs().is_empty().await?);
                if !has_any && !is_empty {
                    return Err(StoreError::setup(
                        "there are blobs already, and this database has no account: they are another desk's; \
                         set blobs.url to an empty folder or bucket",
                    ));
                }
                self.write(make).await?
            }
        };
        match marker {
            Some(marker) if marker == kept.identity => {}
            Some(marker) => return Err(foreign(&marker, Some(&kept.identity))),
            None if kept.is_written && !self.blobs().is_empty().await? => {
                return Err(unmarked(&kept.identity));
            }
            None if kept.is_written && self.read_now(crate::raw::names_blobs).await? => {
                return Err(unmounted(&kept.identity));
            }
            None => self.mark(&kept.identity).await?,
        }
        if kept.is_written { Ok(()) } else { self.write(set_written).await }
    }

    /// As [`Store::own_blobs`], unless that was made sure of a moment ago: what is asked before each blob is written. Waiting for one
    /// look is enough for all that come meanwhile.
    ///
    /// # Errors
    /// As [`Store::own_blobs`].
    pub(crate) async fn own_blobs_lately(&self) -> Result<()> {
        let mut owned_at = self.inner.blobs_owned_at.lock().await;
        // A folder is asked each time: that costs little, and another one may be mounted there at any moment.
        if !self.blobs().is_folder() && owned_at.is_some_and(|at| at.elapsed() < LOOKED_FOR) {
            return Ok(());
        }
        *owned_at = None;
        self.own_blobs().await?;
        *owned_at = Some(std::time::Instant::now());
        Ok(())
    }

    /// Writes the object and looks whether it stayed: another desk may begin at the same moment.
    async fn mark(&self, identity: &str) -> Result<()> {
        self.blobs().put(NAME, format!("{identity}\n").into_bytes()).await?;
        match self.blobs().marker().await? {
            Some(marker) if marker != identity => Err(foreign(&marker, Some(identity))),
            _ => Ok(()),
        }
    }
}

impl Store {
    /// Whether the place of the blobs can be read and is this database's own: then a blob that cannot be had is alone in that.
    pub async fn blobs_are_well(&self) -> bool {
        match tokio::time::timeout(MARKER_WITHIN, self.check_marker()).await {
            Ok(checked) => checked.is_ok(),
            Err(_) => false,
        }
    }

    /// Looks whether the place of the blobs can be read and is this database's own; writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with whose it is, or that it is empty though rows name blobs; as database and object store say.
    pub async fn check_marker(&self) -> Result<()> {
        let Some(kept) = self.read_now(find).await? else { return Ok(()) };
        match self.blobs().marker().await? {
            Some(marker) if marker == kept.identity => Ok(()),
            Some(marker) => Err(foreign(&marker, Some(&kept.identity))),
            None if !kept.is_written => Ok(()),
            None => Err(unmounted(&kept.identity)),
        }
    }
}

impl Blobs {
    async fn marker(&self) -> Result<Option<String>> {
        let found = self.find(NAME).await?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    /// Whether there is no blob; other objects do not count.
    async fn is_empty(&self) -> Result<bool> {
        let mut listed = self.list();
        while let Some(found) = listed.next().await {
            if Blobs::owner(&found?.0).is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn foreign(marker: &str, ours: Option<&str>) -> StoreError {
    let (has, by) = match ours {
        Some(ours) => (ours, format!("write {ours} into {NAME} there")),
        None => ("none yet", format!("remove {NAME} there")),
    };
    StoreError::setup(format!(
        "these are the blobs of another desk, whose mail this one would remove: {NAME} there says {marker:?}, this database has \
         {has}; set blobs.url to a folder or bucket of this desk alone, or, if no other desk uses these any more, {by}"
    ))
}

fn unmarked(identity: &str) -> StoreError {
    StoreError::setup(format!(
        "there are blobs without {NAME}, which may be another desk's, whose mail this one would remove; set blobs.url to a folder \
         or bucket of this desk alone, or, if no other desk uses these, write {identity} into {NAME} there"
    ))
}

fn unmounted(identity: &str) -> StoreError {
    StoreError::setup(format!(
        "the place of the blobs is empty, though mails name blobs in it: it is probably not mounted, or blobs.url names another place; \
         mend that, or, if they are lost for good, write {identity} into {NAME} there"
    ))
}

fn find(tx: &mut Tx<'_>) -> Result<Option<Kept>> {
    let found = tx.find("SELECT identity, is_written FROM blob_marker WHERE id = $1", &values![1])?;
    found.map(|mut row| Ok(Kept { identity: row.text()?, is_written: row.int()? != 0 })).transpose()
}

/// The identity of a database that had none. Of two nodes that start together the first one's stands.
fn make(tx: &mut Tx<'_>) -> Result<Kept> {
    let identity = format!("{:032x}", rand::random::<u128>());
    let sql =
        "INSERT INTO blob_marker (id, identity, is_written) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    tx.execute(sql, &values![1, &identity, 0])?;
    find(tx)?.ok_or_else(|| StoreError::setup("no identity could be stored"))
}

fn set_written(tx: &mut Tx<'_>) -> Result<()> {
    tx.write("UPDATE blob_marker SET is_written = $1 WHERE id = $2", &values![1, 1])
}
