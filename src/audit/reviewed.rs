//! What rules about reviews share.

use super::context::Context;
use crate::model::{
    reviewed::{Held, ReviewedAccount, UnderReview},
    users::User,
};

/// The accounts of all reviews, each with the user that it is now; `None` if it is not listed any more.
pub(super) fn accounts<'a>(
    context: &Context<'a>,
) -> impl Iterator<Item = (&'a UnderReview, &'a ReviewedAccount, Option<User<'a>>)> {
    let directory = context.directory;
    let reviews = context.input.reviewed.iter().flat_map(|reviewed| &reviewed.reviews);
    reviews.flat_map(move |review| {
        review.accounts.iter().map(move |account| (review, account, directory.users.find(&account.user_id)))
    })
}

/// What a user holds.
pub(super) fn held<'a>(user: &User<'a>) -> Held<'a> {
    Held {
        status: user.status().kind(),
        role: user.role().map(|role| role.id.as_str()),
        profile: user.profile().map(|profile| profile.id.as_str()),
    }
}

/// How a message names a review and an item of it.
pub(super) fn place(review: &UnderReview, account: &ReviewedAccount) -> String {
    format!("the review “{}” ({}, item {})", review.name, review.review, account.item)
}
