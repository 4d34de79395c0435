export { AckQueue, type AckLimits, type AckRhythm } from './ack-queue'
export { Handled } from './handled'
export { SM } from './names'
export { advance, distance, readCount } from './sequence'
