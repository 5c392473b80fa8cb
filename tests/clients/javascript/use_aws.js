// Works on a bucket through the AWS SDK for JavaScript; prints what the test compares.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { KinesisClient, ListStreamsCommand } from "@aws-sdk/client-kinesis";

const [bucket, folder] = process.argv.slice(2);
const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1 });

async function keys() {
  const found = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket: bucket })) {
    found.push(...(page.Contents ?? []).map(({ Key }) => Key));
  }
  return found;
}

async function digest(stream) {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

async function storeAndRead() {
  const names = Array.from({ length: 8 }, (_, number) => `small/ä ${number}+.txt`);
  await Promise.all(
    names.map((Key) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key, Metadata: { of: "js" } }))),
  );
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: names[3] }));
  const part = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: names[3], Range: "bytes=0-4" }));
  return {
    body: await got.Body.transformToString(),
    metadata: got.Metadata,
    range: await part.Body.transformToString(),
  };
}

// A stream's checksum comes after it, in a trailer.
async function stream() {
  const path = `${folder}/weather.csv`;
  const { size } = await stat(path);
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: "weather.csv",
      Body: createReadStream(path),
      ContentLength: size,
      ChecksumAlgorithm: "SHA256",
    }),
  );
  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "weather.csv", ChecksumMode: "ENABLED" }));
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "weather.csv" }));
  return {
    size: head.ContentLength,
    checksum: Buffer.from(head.ChecksumSHA256, "base64").toString("hex"),
    digest: await digest(got.Body),
  };
}

async function uploadInParts() {
  const place = { Bucket: bucket, Key: "parts" };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
  const bodies = [Buffer.alloc(5 * 1024 * 1024, "a"), Buffer.from("the end")];
  const Parts = await Promise.all(
    bodies.map(async (Body, index) => {
      const PartNumber = index + 1;
      const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
      return { PartNumber, ETag, ChecksumCRC32 };
    }),
  );
  const done = await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
  return done.ETag;
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
  }
  return null;
}

const sts = new STSClient({ maxAttempts: 1 });
const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
// Kinesis is spoken to over HTTP/2.
const kinesis = new KinesisClient({ maxAttempts: 1 });

const result = {
  arn: Arn,
  small: await storeAndRead(),
  streamed: await stream(),
  etagOfParts: await uploadInParts(),
  listed: await keys(),
  absent: await errorOf(s3.send(new GetObjectCommand({ Bucket: bucket, Key: "absent" }))),
  rootSession: await errorOf(sts.send(new GetSessionTokenCommand({ DurationSeconds: 1 }))),
  notBuilt: [
    await errorOf(kinesis.send(new ListStreamsCommand({}))),
    await errorOf(kinesis.send(new ListStreamsCommand({ Limit: 5 }))),
  ],
  httpVersion: kinesis.config.requestHandler.metadata.handlerProtocol,
};
const Objects = result.listed.map((Key) => ({ Key }));
await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
result.left = await keys();
kinesis.destroy();
console.log(JSON.stringify(result));
