export { PrecisError } from './error'
export { enforceDomain, enforceLocal, enforceResource } from './jid-parts'
