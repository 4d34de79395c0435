/** Atom entries of channels: read and cleaned, completed, remembered when they are gone. */
export * from './entry'
export * from './namespaces'
export * from './submission'
export * from './tombstone'
export { cleanXhtml } from './xhtml'
