//! The one question that every door asks: may this be given out?

use alnage_types::Digest;

use super::{
    Answer, Kind, Stage, Version,
    versions::{VERSION, VERSION_COLUMNS, version_of, with_repo},
};
use crate::{Registry, Result, database::Value};

impl Registry {
    /// What is given for `revision` of a repository: a commit itself, or the newest commit of a reference that may be
    /// given out.
    pub fn answer(&self, kind: Kind, name: &str, revision: &str) -> Result<Answer> {
        // One statement for the ordinary case: the revision is a commit, or a reference to one that is given out.
        let exact = format!(
            "SELECT {VERSION}, f.name FROM repos r
             LEFT JOIN refs f ON f.repo = r.id AND f.name = $3
             JOIN versions v ON v.repo = r.id AND v.commit_id = COALESCE(f.commit_id, $3)
             WHERE r.kind = $1 AND r.name = $2"
        );
        let values: [Value<'_>; 3] = [kind.as_str().into(), name.into(), revision.into()];
        let Some(row) = self.read(|connection| connection.query_one(&exact, &values))? else {
            return Ok(Answer::Unknown);
        };
        let version = version_of(&row, 0, kind, name)?;
        let by_reference = row.opt_text(VERSION_COLUMNS)?.is_some();
        if self.is_given_out(&version) {
            return Ok(Answer::Serve(Box::new(version)));
        }
        if by_reference && let Some(older) = self.newest_served(&version, revision)? {
            return Ok(Answer::Serve(Box::new(older)));
        }
        Ok(self.refuse(version))
    }

    /// Whether bytes of it are given out now.
    pub fn is_given_out(&self, version: &Version) -> bool {
        version.stage.is_served() && version.expires.is_none_or(|expires| expires > self.now())
    }

    /// The versions that a digest stands for, as that of the manifest or of a file, and whether the whole or that file is
    /// given out now; those that are come first.
    pub fn holders(&self, digest: Digest) -> Result<Vec<(Version, bool)>> {
        let whole = self.versions_of_manifest(&digest.to_string())?;
        let mut holders: Vec<(Version, bool)> = whole
            .into_iter()
            .map(|version| {
                let given_out = self.is_given_out(&version);
                (version, given_out)
            })
            .collect();
        let sql = format!(
            "SELECT {VERSION}, r.kind, r.name, f.served FROM files f JOIN versions v ON v.id = f.version
             JOIN repos r ON r.id = v.repo WHERE f.sha256 = $1
             ORDER BY CASE WHEN v.stage IN ('approved', 'production', 'deprecated') THEN f.served ELSE -1 END DESC,
                 v.id DESC LIMIT 100"
        );
        let rows = self.read(|connection| connection.query(&sql, &[(&digest.as_bytes()[..]).into()]))?;
        for row in rows {
            let version = with_repo(&row)?;
            let given_out = self.is_given_out(&version) && row.flag(VERSION_COLUMNS + 2)?;
            if !holders.iter().any(|(known, _)| known.id == version.id) {
                holders.push((version, given_out));
            }
        }
        holders.sort_by_key(|(_, given_out)| !given_out);
        Ok(holders)
    }

    /// The newest version of a reference that is given out.
    fn newest_served(&self, head: &Version, refname: &str) -> Result<Option<Version>> {
        let sql = format!(
            "SELECT {VERSION} FROM versions v WHERE v.repo = $1 AND v.refname = $2 AND v.id < $3
             AND v.stage IN ('approved', 'production', 'deprecated') ORDER BY v.id DESC LIMIT 20"
        );
        let rows = self
            .read(|connection| connection.query(&sql, &[head.repo.into(), refname.into(), head.id.into()]))?;
        for row in rows {
            let version = version_of(&row, 0, head.kind, &head.name)?;
            if self.is_given_out(&version) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Why it is not given out.
    fn refuse(&self, version: Version) -> Answer {
        let ask = |version: Version, reason: String| {
            let approval_path = version.path();
            Answer::Ask { version: Box::new(version), reason, approval_path }
        };
        match version.stage {
            // Who has it already is stopped, as by a revocation: it was given out, and turned out to be bad.
            Stage::Rejected if version.released.is_some() => {
                let reason = version.reason.clone();
                Answer::Recalled { version: Box::new(version), reason }
            }
            Stage::Revoked => {
                let reason = version.reason.clone();
                Answer::Recalled { version: Box::new(version), reason }
            }
            Stage::Quarantined if version.scan.is_none() => {
                let since = version.staged;
                Answer::Wait { version: Box::new(version), since }
            }
            Stage::Quarantined | Stage::Rejected => {
                let reason = version.reason.clone();
                ask(version, reason)
            }
            Stage::Approved | Stage::Production | Stage::Deprecated => {
                ask(version, "its approval has expired".to_owned())
            }
        }
    }
}
