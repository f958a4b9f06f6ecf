//! The conflict matrix: data, checked when it is loaded.

use std::{collections::BTreeMap, sync::LazyLock};

use domain::kind::{Kind, Scope};
use serde::Deserialize;

/// A kind's place in one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindIx(u8);

impl KindIx {
    /// A kind that this program does not know, from a newer one: it conflicts with everything of its customer.
    pub const UNKNOWN: Self = Self(u8::MAX);
}

/// A symmetric table of scopes over named kinds, and which of them are done together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    kinds: Vec<String>,
    cells: Vec<Scope>,
    batchable: Vec<bool>,
}

/// Why a matrix was not taken. Each names the kinds it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("the conflict matrix cannot be read: {0}")]
    Syntax(String),
    #[error("the conflict matrix has no entry for ({0}, {1})")]
    Hole(String, String),
    #[error("the conflict matrix says that {0} is batchable, which is not among its kinds")]
    UnknownBatchable(String),
    #[error("the conflict matrix has a row for {0}, which is not among its kinds")]
    UnknownRow(String),
    #[error("the conflict matrix names {0}, which is no kind of job")]
    UnknownKind(String),
    #[error("the conflict matrix does not name the kind {0}")]
    MissingKind(String),
    #[error("the conflict matrix names {0} twice")]
    Twice(String),
    #[error("the conflict matrix has {0:?} for ({1}, {2}); it takes C, S or a dot")]
    Letter(char, String, String),
    #[error("the conflict matrix is not symmetric: ({0}, {1}) is {2:?}, ({1}, {0}) is {3:?}")]
    Asymmetric(String, String, Scope, Scope),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    kinds: Vec<String>,
    #[serde(default)]
    batchable: Vec<String>,
    rows: BTreeMap<String, String>,
}

impl Matrix {
    /// Reads a matrix over any names: the form the tests use.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let Text { kinds, batchable, rows } =
            toml::from_str(text).map_err(|e| MatrixError::Syntax(e.to_string()))?;
        if let Some((i, name)) = kinds.iter().enumerate().find(|(i, k)| kinds[..*i].contains(k)) {
            debug_assert!(i > 0);
            return Err(MatrixError::Twice(name.clone()));
        }
        if let Some(name) = rows.keys().find(|name| !kinds.contains(name)) {
            return Err(MatrixError::UnknownRow(name.clone()));
        }
        let mut cells = Vec::with_capacity(kinds.len() * kinds.len());
        for row in &kinds {
            let mut letters =
                rows.get(row).map(String::as_str).unwrap_or_default().chars().filter(|c| *c != ' ');
            for column in &kinds {
                cells.push(match letters.next() {
                    Some('C') => Scope::SameCustomer,
                    Some('S') => Scope::SameServer,
                    Some('.') => Scope::None,
                    Some(letter) => return Err(MatrixError::Letter(letter, row.clone(), column.clone())),
                    None => return Err(MatrixError::Hole(row.clone(), column.clone())),
                });
            }
            if let Some(letter) = letters.next() {
                return Err(MatrixError::Letter(letter, row.clone(), "no column".into()));
            }
        }
        if let Some(name) = batchable.iter().find(|name| !kinds.contains(name)) {
            return Err(MatrixError::UnknownBatchable(name.clone()));
        }
        let batchable = kinds.iter().map(|k| batchable.contains(k)).collect();
        let matrix = Self { kinds, cells, batchable };
        matrix.check_symmetry()?;
        Ok(matrix)
    }

    /// Reads a matrix over the product's kinds: every one of them, and no other.
    pub fn parse_for_kinds(text: &str) -> Result<Self, MatrixError> {
        let matrix = Self::parse(text)?;
        if let Some(unknown) = matrix.kinds.iter().find(|k| k.parse::<Kind>().is_err()) {
            return Err(MatrixError::UnknownKind(unknown.clone()));
        }
        match Kind::ALL.iter().find(|k| matrix.kind(k.as_str()).is_none()) {
            Some(missing) => Err(MatrixError::MissingKind(missing.to_string())),
            None => Ok(matrix),
        }
    }

    /// The matrix that ships.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Matrix> = LazyLock::new(|| {
            Matrix::parse_for_kinds(include_str!("../matrix.toml"))
                .expect("the shipped matrix is checked by a test")
        });
        &SHIPPED
    }

    pub fn kind(&self, name: &str) -> Option<KindIx> {
        self.kinds.iter().position(|k| k == name).map(|i| KindIx(i as u8))
    }

    /// The name of a kind.
    pub fn name(&self, kind: KindIx) -> Option<&str> {
        self.kinds.get(usize::from(kind.0)).map(String::as_str)
    }

    /// Whether queued jobs of this kind are done together with one that starts.
    pub fn is_batchable(&self, kind: KindIx) -> bool {
        self.batchable.get(usize::from(kind.0)).copied().unwrap_or(false)
    }

    /// All of it as one text: two processes that work on one database must have the same.
    pub fn fingerprint(&self) -> String {
        let cell = |s: &Scope| match s {
            Scope::None => '.',
            Scope::SameServer => 'S',
            Scope::SameCustomer => 'C',
        };
        let cells: String = self.cells.iter().map(cell).collect();
        let batchable: Vec<&str> =
            self.kinds.iter().zip(&self.batchable).filter(|(_, b)| **b).map(|(k, _)| k.as_str()).collect();
        format!("{} {cells} {}", self.kinds.join(","), batchable.join(","))
    }

    pub fn scope(&self, a: KindIx, b: KindIx) -> Scope {
        if a == KindIx::UNKNOWN || b == KindIx::UNKNOWN {
            return Scope::SameCustomer;
        }
        self.cells[usize::from(a.0) * self.kinds.len() + usize::from(b.0)]
    }

    fn check_symmetry(&self) -> Result<(), MatrixError> {
        let ix = |i: usize| KindIx(i as u8);
        for i in 0..self.kinds.len() {
            for j in 0..i {
                let (ij, ji) = (self.scope(ix(i), ix(j)), self.scope(ix(j), ix(i)));
                if ij != ji {
                    let name = |k: usize| self.kinds[k].clone();
                    return Err(MatrixError::Asymmetric(name(i), name(j), ij, ji));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_matrix_says_what_the_contract_says() {
        let m = Matrix::shipped();
        let scope = |a: Kind, b: Kind| m.scope(m.kind(a.as_str()).unwrap(), m.kind(b.as_str()).unwrap());
        let whole = [Kind::Activate, Kind::Terminate, Kind::Migrate, Kind::ChangeEdge];
        for &a in Kind::ALL {
            for &b in Kind::ALL {
                let expected = match (a, b) {
                    (Kind::Refresh, Kind::Refresh) => Scope::SameCustomer,
                    (Kind::Refresh, _) | (_, Kind::Refresh) => Scope::None,
                    // A panel is installed in one guest.
                    (Kind::InstallPanel, _) | (_, Kind::InstallPanel) => Scope::SameServer,
                    _ if whole.contains(&a) || whole.contains(&b) => Scope::SameCustomer,
                    _ => Scope::SameServer,
                };
                assert_eq!(scope(a, b), expected, "({a}, {b})");
            }
        }
    }

    #[test]
    fn a_bad_matrix_names_the_pair() {
        let parse =
            |rows: &str| Matrix::parse(&format!("kinds = [\"a\", \"b\"]\n[rows]\n{rows}")).unwrap_err();
        assert_eq!(
            parse("a = \"CS\"\nb = \"..\""),
            MatrixError::Asymmetric("b".into(), "a".into(), Scope::None, Scope::SameServer)
        );
        assert_eq!(parse("a = \"CC\"\nb = \"C\""), MatrixError::Hole("b".into(), "b".into()));
        assert_eq!(parse("a = \"CC\""), MatrixError::Hole("b".into(), "a".into()));
        assert_eq!(parse("a = \"CX\"\nb = \"CC\""), MatrixError::Letter('X', "a".into(), "b".into()));
        assert_eq!(parse("a = \"CC\"\nb = \"CC\"\nc = \"..\""), MatrixError::UnknownRow("c".into()));
        assert_eq!(
            Matrix::parse_for_kinds("kinds = [\"reboot\"]\n[rows]\nreboot = \"C\""),
            Err(MatrixError::UnknownKind("reboot".into()))
        );
        assert_eq!(
            Matrix::parse_for_kinds("kinds = [\"power\"]\n[rows]\npower = \"S\""),
            Err(MatrixError::MissingKind("activate".into()))
        );
    }
}
