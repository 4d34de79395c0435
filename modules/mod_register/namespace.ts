export const REGISTER = 'jabber:iq:register'
