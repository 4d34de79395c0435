/*
 * What channels, ratings and recent items share, without state: names of nodes and items, what nodes hold, errors,
 * and Atom entries. See README.md.
 */
export * from './atom'
export * from './attributes'
export * from './errors'
export * from './names'
export * from './ratings'
export * from './request'
export * from './types'
