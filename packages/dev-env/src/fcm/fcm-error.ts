/** An answer of FCM v1 other than success: `status` is the google.rpc code, `errorCode` FCM's own. */
export type FcmError = {
  code: number;
  status: string;
  message: string;
  errorCode?: string;
  violations?: { field: string; description: string }[];
};

/** A request that FCM refuses as malformed. */
export const invalidArgument = (field: string, description: string): FcmError => ({
  code: 400,
  status: 'INVALID_ARGUMENT',
  message: description,
  errorCode: 'INVALID_ARGUMENT',
  violations: [{ field, description }],
});

/** Failures that a test can ask for, as FCM words them. */
export const faultErrors = {
  UNREGISTERED: {
    code: 404,
    status: 'NOT_FOUND',
    message: 'Requested entity was not found.',
    errorCode: 'UNREGISTERED',
  },
  QUOTA_EXCEEDED: {
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'Quota exceeded for quota metric and limit.',
    errorCode: 'QUOTA_EXCEEDED',
  },
  INTERNAL: { code: 500, status: 'INTERNAL', message: 'Internal error encountered.', errorCode: 'INTERNAL' },
} as const satisfies Record<string, FcmError>;

/** The body of an error as the API sends it. */
export const errorBody = (error: FcmError): { error: Record<string, unknown> } => ({
  error: {
    code: error.code,
    message: error.message,
    status: error.status,
    details: [
      ...(error.violations === undefined
        ? []
        : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: error.violations }]),
      ...(error.errorCode === undefined
        ? []
        : [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: error.errorCode }]),
    ],
  },
});
