/** XEP-0077 */
export const REGISTER = 'jabber:iq:register'
