//! Typed messages, and the way to the mail server.
