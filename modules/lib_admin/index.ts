export { actOnEach } from './acts'
export { done, refused, type Act } from './audit'
export { ADMIN, OWN } from './names'
