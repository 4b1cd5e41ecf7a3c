import type { DeviceKey, DeviceToken, PushProvider } from './device-token.ts';

/** What identifies one binding: a newer token of the same device is another one. */
export type Binding = DeviceKey & { version: string };

/**
 * The push tokens of devices: a device has one token, a token is on one device. Reads see every acknowledged write.
 */
export type TokenStore = {
  /** Whether anybody has a token at all. */
  any(): Promise<boolean>;
  find(device: DeviceKey): Promise<DeviceToken | undefined>;
  /** All tokens of these users. */
  ofUsers(userIds: readonly string[]): Promise<DeviceToken[]>;
  /** Removes the token from every device but this one. @returns the devices that had it. */
  takeFromOthers(token: string, device: DeviceKey): Promise<DeviceKey[]>;
  /**
   * Sets the token of a device. @returns false when another device took the token in between: take it again first.
   */
  bind(device: DeviceKey, provider: PushProvider, token: string): Promise<boolean>;
  remove(userId: string, deviceIds: readonly string[]): Promise<void>;
  /** Removes this binding only. @returns false when it was not there any more. */
  removeBinding(binding: Binding): Promise<boolean>;
};
