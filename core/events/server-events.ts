import type { ClientSession } from '../streams/session'

/** Notifications that nobody answers; handlers run after the fact and cannot stop anything. */
export interface ServerEvents {
  'server/started': () => void
  /** SIGTERM or a command: streams are about to be closed. */
  'server/stopping': () => void
  'module/loaded': (host: string, module: string) => void
  'module/unloaded': (host: string, module: string) => void
  'module/reloaded': (module: string) => void
  'config/reloaded': () => void
  /** Who may federate with a host has changed: `federation/check` is asked again for its streams. */
  'federation/changed': (host: string) => void
  'session/authenticated': (session: ClientSession) => void
  /** A resource can be sent messages from now on: it is available with a priority that is not negative. */
  'session/available': (session: ClientSession) => void
  /** What an account's roster says of a contact (a bare JID) has changed, and is committed. */
  'roster/changed': (user: string, host: string, contact: string) => void
  'account/password-changed': (user: string, host: string) => void
}
