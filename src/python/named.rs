//! Choices by the names that Python gives.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::models::Role;

/// Returns the one of `all` with exactly this name.
pub(super) fn named<T: Copy>(what: &str, all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Result<T> {
    all.iter().copied().find(|&one| name_of(one) == name).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|&one| name_of(one)).collect();
        let listed = match names.as_slice() {
            [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            few => few.concat(),
        };
        Error::new(ErrorKind::InvalidArgument, format!("there is no {what} {name:?}; the {what}s are {listed}"))
    })
}

/// Returns what was given for each role, by roles instead of their names.
pub(super) fn by_role<T>(given: BTreeMap<String, T>) -> Result<impl Iterator<Item = (Role, T)>> {
    let role = |(name, one): (String, T)| Ok((named("role", &Role::ALL, Role::name, &name)?, one));
    given.into_iter().map(role).collect::<Result<Vec<_>>>().map(Vec::into_iter)
}
