//! The simulated Zoho accounts server, Bigin API and SMTP inbox.
