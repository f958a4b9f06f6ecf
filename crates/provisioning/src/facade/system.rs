//! The installation, for administrators: who runs jobs, how the platform answers, the pause of maintenance, and what has been
//! done by hand.

use domain::{
    AccountId,
    drift::DriftKind,
    field::{Code, Field, FieldError},
    state::Role,
};
use store::{
    Maintenance, Notices, Result,
    audit::{AuditFilter, AuditLine, Subject},
    interventions::Intervention,
    system::{PlatformAnswer, WorkerRow},
};

use super::{Facade, Viewer, staff::reason};

/// For how long a maintenance may be announced, minutes.
pub const MAINTENANCE_MAX: u32 = 10_000;
/// Lines of a page, and of a file.
const AUDIT_PAGE: i64 = 50;
const AUDIT_FILE: i64 = 10_000;

#[derive(Clone, Debug)]
pub struct System {
    pub workers: Vec<WorkerRow>,
    pub platform: Option<PlatformAnswer>,
    pub notices: Notices,
    /// Since when a look at the platform is waited for.
    pub look_wanted: Option<i64>,
    /// Jobs under way, and how many there may be at once.
    pub under_way: i64,
    pub cap: i64,
    pub drift: usize,
    pub orphans: usize,
    /// Jobs that keep others of their customers out since they failed.
    pub holding: i64,
    pub now: i64,
}

/// Lines of what was done by hand, and whether there are older ones.
#[derive(Clone, Debug)]
pub struct AuditPage {
    pub lines: Vec<AuditLine>,
    pub more: bool,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemAnswer {
    Done,
    Refused(Vec<FieldError>),
    /// Not the viewer's to ask for, or not there.
    Gone,
}

impl Facade {
    pub async fn system(&self, viewer: &Viewer) -> Result<Option<System>> {
        if viewer.role() != Role::Admin {
            return Ok(None);
        }
        let drift = self.store.drift(None).await?;
        Ok(Some(System {
            workers: self.store.workers().await?,
            platform: self.store.platform_answer().await?,
            notices: self.store.notices().await?,
            look_wanted: self.store.look_wanted_since().await?,
            under_way: self.store.jobs_at_work().await?,
            cap: self.store.cap() as i64,
            orphans: drift.iter().filter(|d| d.seen.server.is_none()).count(),
            drift: drift.len(),
            holding: self.store.jobs_holding().await?,
            now: self.now_ms(),
        }))
    }

    /// Nothing more is taken up until it is ended. `minutes` is how long it is expected to last: an empty text is not known.
    pub async fn maintenance_begin(&self, viewer: &Viewer, minutes: &str, why: &str) -> Result<SystemAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(SystemAnswer::Gone);
        }
        let mut errors = Vec::new();
        let until = match minutes.trim() {
            "" => None,
            text => match text.parse::<u32>() {
                Ok(n) if (1..=MAINTENANCE_MAX).contains(&n) => Some(self.now_ms() + i64::from(n) * 60_000),
                _ => {
                    errors.push(
                        FieldError::new(Field::Minutes, Code::MinutesRange).with("max", MAINTENANCE_MAX),
                    );
                    None
                }
            },
        };
        let why = reason(why).unwrap_or_else(|e| {
            errors.extend(e);
            String::new()
        });
        if !errors.is_empty() {
            return Ok(SystemAnswer::Refused(errors));
        }
        self.store.maintenance_begin(Maintenance { until }).await?;
        self.audit_system(viewer, "maintenance_begin", &why).await?;
        Ok(SystemAnswer::Done)
    }

    pub async fn maintenance_end(&self, viewer: &Viewer) -> Result<SystemAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(SystemAnswer::Gone);
        }
        self.store.maintenance_end().await?;
        self.audit_system(viewer, "maintenance_end", "").await?;
        Ok(SystemAnswer::Done)
    }

    /// Somebody is to look at the platform now. For administrators.
    pub async fn look_now(&self, viewer: &Viewer) -> Result<bool> {
        if viewer.role() != Role::Admin {
            return Ok(false);
        }
        self.store.look_wanted(self.now_ms()).await?;
        Ok(true)
    }

    /// What nobody owns is to be taken away: it goes with the next look that still sees it.
    pub async fn orphan_delete(
        &self,
        viewer: &Viewer,
        kind: DriftKind,
        subject: &str,
        why: &str,
    ) -> Result<SystemAnswer> {
        if viewer.role() != Role::Admin || !kind.is_orphan() {
            return Ok(SystemAnswer::Gone);
        }
        let why = match reason(why) {
            Ok(why) => why,
            Err(errors) => return Ok(SystemAnswer::Refused(errors)),
        };
        let how = Intervention { by: viewer.account.id, why: &why, now: self.now_ms() };
        if !self.store.drift_clear(kind, subject, how).await? {
            return Ok(SystemAnswer::Gone);
        }
        self.store.look_wanted(self.now_ms()).await?;
        Ok(SystemAnswer::Done)
    }

    /// What was done by hand, the newest first.
    pub async fn audit(&self, viewer: &Viewer, filter: &AuditFilter) -> Result<Option<AuditPage>> {
        if viewer.role() != Role::Admin {
            return Ok(None);
        }
        let mut lines = self.store.audit(filter, AUDIT_PAGE + 1).await?;
        let more = lines.len() as i64 > AUDIT_PAGE;
        lines.truncate(AUDIT_PAGE as usize);
        Ok(Some(AuditPage { lines, more }))
    }

    /// The same for a file: the newest ten thousand.
    pub async fn audit_file(&self, viewer: &Viewer, filter: &AuditFilter) -> Result<Option<Vec<AuditLine>>> {
        if viewer.role() != Role::Admin {
            return Ok(None);
        }
        self.store.audit(filter, AUDIT_FILE).await.map(Some)
    }

    /// Whose e-mail this is, among the staff.
    pub async fn staff_by_email(&self, viewer: &Viewer, email: &str) -> Result<Option<AccountId>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let found = self.store.account_by_email(email).await?;
        Ok(found.map(|(account, _)| account).filter(|a| a.role.is_staff()).map(|a| a.id))
    }

    async fn audit_system(&self, viewer: &Viewer, what: &str, detail: &str) -> Result<()> {
        let subject = Subject { kind: "system", id: "system".into(), name: String::new() };
        self.store.audit_add(Some(viewer.account.id), what, &subject, detail, self.now_ms()).await
    }
}
