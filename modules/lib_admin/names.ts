/** FORM_TYPE of XEP-0133's forms; its commands are this with `#name`. */
export const ADMIN = 'http://jabber.org/protocol/admin'
/** The same for Balcony's own commands, whose fields are not registered (XEP-0068 §3.2). */
export const OWN = 'urn:balcony:admin'
