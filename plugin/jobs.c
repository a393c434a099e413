/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/jobs.h"

#include <stdlib.h>

struct job *
job_new(enum job_kind kind, const struct device *device)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL || device_copy(device, &job->device) != RES_OK) {
		free(job);
		return NULL;
	}
	job->kind = kind;
	job->time = clock_now();
	identity_format(&device->who, job->name);
	return job;
}

void
job_free(struct job *job)
{
	if (job != NULL) {
		device_done(&job->device);
		free(job);
	}
}

void
job_describe(struct job *job)
{
	const struct device *device = &job->device;
	char ca[HASH_TEXT_MAX + 1], gateway[IDENTITY_TEXT_MAX + 1];

	if (device->has_fingerprint) {
		text_hex(ca, device->ca, HASH_LEN);
		diag_set(&job->detail, "ca=%.16s serial=%s addr=%s", ca,
		    device->serial, device->last_address);
	} else if (device->has_gateway) {
		identity_format(&device->gateway, gateway);
		diag_set(&job->detail, "gateway=%s addr=%s", gateway,
		    device->last_address);
	} else {
		diag_set(&job->detail, "addr=%s", device->last_address);
	}
}

struct change
job_change(struct job *job)
{
	struct change change = {0};

	change.org = job->device.org;
	change.of.device = &job->device;
	change.time = job->time;
	change.event_subject = job->name;
	change.event_detail = job->detail.text;
	switch (job->kind) {
	case JOB_PROVISION:
		change.kind = CHANGE_DEVICE_PROVISION;
		change.actor = "broker";
		change.event_kind = job->device.state == DEVICE_PENDING
		    ? "device-pending"
		    : "device-provisioned";
		break;
	case JOB_PINS:
		change.kind = CHANGE_DEVICE_PINS;
		change.pins_before = &job->before;
		change.actor = job->event_kind[0] == '\0' ? NULL : "broker";
		change.event_kind = job->event_kind;
		break;
	case JOB_LOCK:
		change.kind = CHANGE_DEVICE_LOCK;
		change.actor = "broker";
		change.event_kind = "device-locked";
		break;
	case JOB_EVENT:
		change.kind = CHANGE_EVENT;
		change.actor = "broker";
		change.event_kind = job->event_kind;
		break;
	case JOB_SEEN:
		change.kind = CHANGE_DEVICE_SEEN;
		break;
	}
	return change;
}

void
queue_push(struct queue *queue, struct job *job)
{
	job->next = NULL;
	if (queue->tail == NULL) {
		queue->head = job;
	} else {
		queue->tail->next = job;
	}
	queue->tail = job;
	queue->count++;
}

struct job *
queue_pop(struct queue *queue)
{
	struct job *job = queue->head;

	if (job != NULL) {
		queue->head = job->next;
		if (queue->head == NULL) {
			queue->tail = NULL;
		}
		queue->count--;
	}
	return job;
}

void
queue_drain(struct queue *queue)
{
	struct job *job;

	while ((job = queue_pop(queue)) != NULL) {
		job_free(job);
	}
}
