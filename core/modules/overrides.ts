/** What a command holds in place of the config file, on the host that offers it as an item. */
export interface ConfigOverride {
  /** As in the file: `s2s_policy`, `server_buddy.autoApprove`. */
  option: string
  /** What holds, in a few words. */
  value: string
  /** Who has set it, where that is known. */
  by?: string
  /** When, in milliseconds since the epoch. */
  at?: number
}

declare module '../events/items' {
  interface ItemTypes {
    'config-override': ConfigOverride
  }
}
