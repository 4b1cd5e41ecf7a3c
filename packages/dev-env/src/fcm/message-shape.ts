/**
 * The fields of an FCM v1 message, after the reference of `projects.messages`
 * (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages). The real service refuses unknown fields
 * and wrong types; names are given in snake case, and camel case is accepted as protobuf's JSON mapping says.
 */
export type Shape =
  | {
      kind: 'string' | 'boolean' | 'integer' | 'strings' | 'durations' | 'stringMap' | 'struct' | 'number' | 'duration';
    }
  | { kind: 'enum'; values: readonly string[] }
  | { kind: 'object'; fields: Readonly<Record<string, Shape>> };

const string: Shape = { kind: 'string' };
const boolean: Shape = { kind: 'boolean' };
const integer: Shape = { kind: 'integer' };
const number: Shape = { kind: 'number' };
const strings: Shape = { kind: 'strings' };
const stringMap: Shape = { kind: 'stringMap' };
const struct: Shape = { kind: 'struct' };
const duration: Shape = { kind: 'duration' };
const durations: Shape = { kind: 'durations' };
const object = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: 'object', fields });
const oneOf = (...values: string[]): Shape => ({ kind: 'enum', values });

const analytics = object({ analytics_label: string });

const androidNotification = object({
  title: string,
  body: string,
  icon: string,
  color: string,
  sound: string,
  tag: string,
  click_action: string,
  body_loc_key: string,
  body_loc_args: strings,
  title_loc_key: string,
  title_loc_args: strings,
  channel_id: string,
  ticker: string,
  sticky: boolean,
  event_time: string,
  local_only: boolean,
  notification_priority: oneOf(
    'PRIORITY_UNSPECIFIED',
    'PRIORITY_MIN',
    'PRIORITY_LOW',
    'PRIORITY_DEFAULT',
    'PRIORITY_HIGH',
    'PRIORITY_MAX',
  ),
  default_sound: boolean,
  default_vibrate_timings: boolean,
  default_light_settings: boolean,
  vibrate_timings: durations,
  visibility: oneOf('VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET'),
  notification_count: integer,
  light_settings: object({
    color: object({ red: number, green: number, blue: number, alpha: number }),
    light_on_duration: duration,
    light_off_duration: duration,
  }),
  image: string,
  proxy: oneOf('PROXY_UNSPECIFIED', 'ALLOW', 'DENY', 'IF_PRIORITY_LOWERED'),
  bypass_proxy_notification: boolean,
});

const messageShape = object({
  name: string,
  data: stringMap,
  notification: object({ title: string, body: string, image: string }),
  android: object({
    collapse_key: string,
    // The service takes the names in lower case too, and the Admin SDK sends them so.
    priority: oneOf('NORMAL', 'HIGH', 'normal', 'high'),
    ttl: duration,
    restricted_package_name: string,
    data: stringMap,
    notification: androidNotification,
    fcm_options: analytics,
    direct_boot_ok: boolean,
    bandwidth_constrained_ok: boolean,
    restricted_satellite_ok: boolean,
  }),
  webpush: object({
    headers: stringMap,
    data: stringMap,
    notification: struct,
    fcm_options: object({ link: string, analytics_label: string }),
  }),
  apns: object({
    headers: stringMap,
    payload: struct,
    fcm_options: object({ analytics_label: string, image: string }),
    live_activity_token: string,
  }),
  fcm_options: analytics,
  token: string,
  topic: string,
  condition: string,
});

/** The body of `messages:send`. */
export const requestShape = object({ message: messageShape, validate_only: boolean });
