import * as inputs from '../inputs.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';
import { byDevice, page } from './parameters.ts';

export const deviceRoutes = {
  'devices.list': {
    method: 'GET',
    path: '/devices',
    tag: 'devices',
    summary: 'Own devices with a live session',
    access: 'user',
    answers: { 200: page(objects.deviceItem) },
    errors: [],
  },
  'devices.put': {
    method: 'PUT',
    path: '/devices/:deviceId',
    tag: 'devices',
    summary: 'Name a device',
    access: 'user',
    params: byDevice,
    body: inputs.putDeviceInput,
    answers: { 200: objects.deviceItem },
    errors: ['NOT_FOUND'],
  },
  'devices.delete': {
    method: 'DELETE',
    path: '/devices/:deviceId',
    tag: 'devices',
    summary: 'Remove a device: its sessions end',
    access: 'user',
    params: byDevice,
    answers: { 204: null },
    errors: ['NOT_FOUND'],
  },
  'devices.putPushToken': {
    method: 'PUT',
    path: '/devices/:deviceId/push-token',
    tag: 'devices',
    summary: 'Register the push token of an own device',
    access: 'user',
    params: byDevice,
    body: inputs.pushTokenInput,
    answers: { 204: null },
    errors: ['NOT_FOUND'],
  },
  'devices.deletePushToken': {
    method: 'DELETE',
    path: '/devices/:deviceId/push-token',
    tag: 'devices',
    summary: 'Forget the push token of an own device',
    access: 'user',
    params: byDevice,
    answers: { 204: null },
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
