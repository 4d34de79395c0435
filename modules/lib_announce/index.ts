export { announcement, type Announcement } from './message'
export { connectedAt, isReachable } from './recipients'
export { inSlices } from './slices'
export { textField } from './text'
