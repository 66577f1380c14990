//! Whose accounts the items of a review are. Two addresses can belong to one person: those that a roster lists, and those
//! that the policy of the workspace takes for the same.

use std::{borrow::Cow, collections::HashMap};

use super::{
    item::{Item, ItemId, Masters, Population},
    person::Address,
};

/// The accounts of each person, by the form in which the addresses of one person are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accounts(HashMap<String, Vec<ItemId>>);

impl Accounts {
    pub(super) fn of(population: &Population) -> Self {
        let mut accounts: HashMap<String, Vec<ItemId>> = HashMap::with_capacity(population.items.len());
        for item in &population.items {
            for key in keys(population.masters.get(&item.workspace), item) {
                accounts.entry(key).or_default().push(item.item);
            }
        }
        Self(accounts)
    }

    /// The first item whose reviewer is the person whose account it is. `None` if there is none.
    pub(super) fn own<'p>(&self, population: &'p Population) -> Option<&'p Item> {
        // There are far fewer reviewers than accounts.
        let mut reviewers: HashMap<(&str, &Address), &[ItemId]> = HashMap::new();
        population.items.iter().find(|item| {
            let reviewer = (item.workspace.as_str(), &item.reviewer);
            let own = reviewers.entry(reviewer).or_insert_with(|| {
                let masters = population.masters.get(&item.workspace);
                self.with_key(&key(masters, &item.reviewer))
            });
            own.binary_search(&item.item).is_ok()
        })
    }

    /// Whether an item of this population is the account of a person.
    pub(super) fn is_of(&self, population: &Population, item: &Item, person: &Address) -> bool {
        self.with_key(&key(population.masters.get(&item.workspace), person)).binary_search(&item.item).is_ok()
    }

    /// The accounts of a person.
    pub(super) fn of_person<'a>(
        &'a self,
        population: &'a Population,
        person: &Address,
    ) -> impl Iterator<Item = ItemId> + use<'a> {
        let masters = population.masters.iter();
        let keys: Vec<(&str, String)> = masters.map(|(name, one)| (name.as_str(), key(Some(one), person))).collect();
        keys.into_iter().flat_map(move |(workspace, key)| {
            let all = self.with_key(&key).iter().copied();
            all.filter(move |id| population.item(*id).is_some_and(|item| item.workspace == workspace))
        })
    }

    /// Those with an address of this form, by their numbers.
    fn with_key(&self, key: &str) -> &[ItemId] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}

/// Whether an account of a workspace is that of a person.
pub(super) fn is_of(masters: Option<&Masters>, item: &Item, person: &Address) -> bool {
    let key = key(masters, person);
    keys(masters, item).any(|own| own == key)
}

/// Every address of the person whose account it is.
pub(super) fn keys<'a>(masters: Option<&'a Masters>, item: &'a Item) -> impl Iterator<Item = String> + 'a {
    let own = item.email.as_deref().filter(|email| !email.trim().is_empty()).map(Address::of);
    own.map(|own| key(masters, &own)).into_iter().chain(item.aliases.iter().map(move |alias| key(masters, alias)))
}

/// The form in which the addresses of one person are the same.
pub(super) fn key(masters: Option<&Masters>, address: &Address) -> String {
    masters
        .and_then(|masters| masters.addresses().key(address.as_str()))
        .map_or_else(|| address.as_str().to_owned(), Cow::into_owned)
}
