import { createRequire } from 'node:module';
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  makeGenericClientConstructor,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { expect, it, onTestFinished } from 'vitest';
import { Incoming } from './incoming.ts';
import { connect, serve } from './server-fixture.ts';
import { withStatus } from './wire-status.ts';

const SERVICES = ['', 'reseolio.Reseolio'];
const LONG_MS = 60_000;

interface HealthClient extends Client {
  Check(request: { service: string }, callback: (error: Error | null, answer: { status: string }) => void): void;
  Watch(request: { service: string }): ClientReadableStream<{ status: string }>;
}

function connectHealth(address: string): HealthClient {
  const { grpc } = loadPackageDefinition(loadSync(protoPath, { enums: String, defaults: true })) as unknown as {
    readonly grpc: { readonly health: { readonly v1: { readonly Health: ServiceClientConstructor } } };
  };
  const client = new grpc.health.v1.Health(address, credentials.createInsecure()) as unknown as HealthClient;
  onTestFinished(() => client.close());
  return client;
}

function check(client: HealthClient, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.Check({ service }, (error, answer) => (error === null ? resolve(answer.status) : reject(error)));
  });
}

it('says that it serves, and no longer when it drains', async () => {
  const server = await serve({ shutdownGraceMs: LONG_MS });
  const health = connectHealth(server.address);
  for (const service of SERVICES) expect(await check(health, service)).toBe('SERVING');
  await expect(check(health, 'other.Service')).rejects.toMatchObject(withStatus('NOT_FOUND'));
  const watched = new Incoming(health.Watch({ service: '' }));
  expect(await watched.next()).toEqual({ status: 'SERVING' });

  const client = connect(server);
  const worker = client.work('w', ['f'], 1);
  const jobId = await client.enqueue('f');
  await worker.jobs.next();
  const stopped = server.stop();
  expect(await watched.next()).toEqual({ status: 'NOT_SERVING' });
  for (const service of SERVICES) expect(await check(health, service)).toBe('NOT_SERVING');
  await worker.succeed(jobId);
  await stopped;
});

const REFLECTION_PROTO = createRequire(import.meta.url).resolve(
  '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
);

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

it('tells what calls there are', async () => {
  const server = await serve();
  const definition = loadSync(REFLECTION_PROTO)['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
  const Reflection = makeGenericClientConstructor(definition, 'ServerReflection');
  const client = new Reflection(server.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const open = Reflect.get(client, 'ServerReflectionInfo') as () => ClientDuplexStream<object, ReflectionAnswer>;
  const stream = open.call(client);
  const answers = new Incoming<ReflectionAnswer>(stream);
  stream.write({ listServices: '' });
  const names = (await answers.next()).listServicesResponse?.service.map(({ name }) => name);
  expect(names).toContain('reseolio.Reseolio');
  stream.write({ fileContainingSymbol: 'reseolio.Reseolio' });
  const [file] = (await answers.next()).fileDescriptorResponse?.fileDescriptorProto ?? [];
  for (const call of ['EnqueueJob', 'PollJobs', 'DeleteSchedule']) expect(file?.toString('latin1')).toContain(call);
  stream.end();
});
