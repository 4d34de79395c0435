export { actOnEach } from './acts'
export { denied, done, refused, type Act } from './audit'
export { ADMIN, OWN } from './names'
