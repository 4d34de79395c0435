export { Ejabberd, ejabberdMissing } from './ejabberd'
export { answers, ownAddress, PORTS } from './loopback'
export type { Peer, PeerOptions } from './peer'
export { Prosody, prosodyMissing } from './prosody'
