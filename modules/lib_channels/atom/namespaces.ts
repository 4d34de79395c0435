import { ATOM } from '../types'

export { ATOM }
/** RFC 4685 */
export const THREAD = 'http://purl.org/syndication/thread/1.0'
export const ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
export const REVIEW = 'http://activitystrea.ms/schema/1.0/review'
export const AUTHOR_JID = 'http://buddycloud.com/atom-elements-0'
export const MEDIA = 'http://buddycloud.org/v1/media'
export const GEOLOC = 'http://jabber.org/protocol/geoloc'
export const XHTML = 'http://www.w3.org/1999/xhtml'
/** RFC 6721 */
export const TOMBSTONE = 'http://purl.org/atompub/tombstones/1.0'
