export { actOnEach } from './acts'
export { denied, done, refused, type Act } from './audit'
export { date } from './date'
export { ADMIN, OWN } from './names'
