import type { ChannelNode, Standing } from './model'
import { MANAGERS } from './roles'
import type { ChannelReader } from './store/read-store'
import type { ChannelStore } from './store/write-store'

/** Invitations of one person that wait for an answer, at most: nobody's list is filled by strangers. */
const PER_PERSON = 100

/** Somebody asks another one to follow. */
export interface Invitation {
  readonly node: ChannelNode
  /** Bare JID of who is invited. */
  readonly jid: string
  /** Bare JID and role of who invites. */
  readonly by: string
  readonly role: string
  /** `invitationsPerChannel` */
  readonly most: number
}

/**
 * Invites, where there is something to invite to. Whoever follows, has asked, is invited or is banned stays as they
 * are, and it is not told which: only managers may know (protoXEP §5.1).
 * @returns whether there was room for it
 */
export async function invite(store: ChannelStore, invitation: Invitation): Promise<boolean> {
  const { node, jid, by, role } = invitation
  const manages = MANAGERS.includes(role)
  // before it is looked at who it is: that there is no room is said of everybody
  if (!manages && !(await hasRoom(store, invitation))) return false
  const { affiliation, subscription, invitedBy } = await standingOf(store, node, jid)
  if (affiliation === 'outcast') return !manages
  if (subscription === 'invited') {
    // an invitation by who approves counts for more
    if (manages && !(await approves(store, node, invitedBy))) await store.invite(node, jid, by)
    return true
  }
  if (subscription !== 'none') return true
  if (manages && !(await hasRoom(store, invitation))) return false
  await store.invite(node, jid, by)
  return true
}

/** Followers have half of the room. */
async function hasRoom(store: ChannelStore, { node, jid, role, most }: Invitation): Promise<boolean> {
  const [ofChannel, ofPerson] = await store.countInvitations(node, jid, Math.max(most, PER_PERSON))
  return ofPerson < PER_PERSON && ofChannel < (MANAGERS.includes(role) ? most : most / 2)
}

/** Whether somebody was invited by who approves followers, so that nobody need approve any more. */
export async function isAdmitted(store: ChannelReader, node: ChannelNode, jid: string): Promise<boolean> {
  const { subscription, invitedBy } = await standingOf(store, node, jid)
  return subscription === 'invited' && (await approves(store, node, invitedBy))
}

/** Asked when it matters, not when they invited: whoever is no manager any more lets nobody in. */
async function approves(store: ChannelReader, node: ChannelNode, by: string | undefined): Promise<boolean> {
  return by !== undefined && by !== '' && MANAGERS.includes(await store.affiliation(node, by))
}

async function standingOf(store: ChannelReader, { channel }: ChannelNode, jid: string): Promise<Standing> {
  const row = await store.member(channel.key, jid)
  if (row === undefined) return { affiliation: 'none', subscription: 'none' }
  const { affiliation, subscription, invited_by } = row
  return { affiliation, subscription, ...(invited_by !== null && { invitedBy: invited_by }) }
}
