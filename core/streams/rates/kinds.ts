/** Kinds of streams, as limits tell them apart; `upstream` is one that we opened to a server as its component. */
export type StreamKind = 'c2s' | 's2s' | 'component' | 'upstream'

export const STREAM_KINDS: readonly StreamKind[] = ['c2s', 's2s', 'component', 'upstream']
