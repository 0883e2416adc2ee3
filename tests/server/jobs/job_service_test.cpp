#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "tests/server/jobs/service_fixture.h"

namespace pytoon::jobs {

TEST_F(JobServiceTest, ASubmittedJobIsCommittedCountedLoggedAndRungFor) {
  json order = body();
  order["image_uris"] = {keep(acme_)};
  order["priority"] = 7;
  const auto submitted = service_->submit(acme_, order, "");
  ASSERT_TRUE(submitted) << submitted.failure().detail;
  EXPECT_EQ(submitted->segments, 5);
  const Job job = *store_.job(submitted->job_id);
  EXPECT_EQ(job.tenant, "acme");
  EXPECT_EQ(job.priority, 7);
  EXPECT_EQ(job.spec.assets.images.size(), 1U);
  EXPECT_EQ(store_.segments(job.id)->size(), 5U);
  EXPECT_EQ(notifier_.notified, 1);
  EXPECT_EQ(metrics_.created, 1);
  EXPECT_NE(lines_.str().find("\"job_created\""), std::string::npos);
}

TEST_F(JobServiceTest, JobsWithoutASeedGetTheirOwn) {
  const auto one = service_->submit(acme_, body(), "");
  const auto two = service_->submit(acme_, body(), "");
  EXPECT_NE(store_.job(one->job_id)->spec.seed, store_.job(two->job_id)->spec.seed);
}

TEST_F(JobServiceTest, AnUnknownPresetIsMalformed) {
  expect_fault({{"preset_id", "none"}}, FailureKind::kMalformed, "/preset_id");
}

TEST_F(JobServiceTest, FieldsOutOfContractAreNamed) {
  json order = body();
  order["target_duration_seconds"] = 61;
  expect_fault(order, FailureKind::kInvalid, "/target_duration_seconds");
  order = body();
  order["colour"] = "red";
  expect_fault(order, FailureKind::kInvalid, "/colour");
  order = body();
  order["music_uri"] = "storage://a";
  expect_fault(order, FailureKind::kInvalid, "/music_uri");
  order = body();
  order["platform"] = "myspace";
  expect_fault(order, FailureKind::kInvalid, "/platform");
}

TEST_F(JobServiceTest, OnlyUrisOfThisTenantsUploadsAreTaken) {
  const std::string mine = keep(acme_);
  const std::string theirs = keep(other_);
  EXPECT_NE(mine, theirs);
  json order = body();
  order["image_uris"] = {theirs};
  expect_fault(order, FailureKind::kInvalid, "/image_uris/0");
  order["image_uris"] = {mine, "https://example.org/a.png"};
  expect_fault(order, FailureKind::kInvalid, "/image_uris/1");
  order["image_uris"] = {mine, "storage://assets/acme/none.png"};
  expect_fault(order, FailureKind::kInvalid, "/image_uris/1");
  order["image_uris"] = {"storage://../../etc/passwd"};
  expect_fault(order, FailureKind::kInvalid, "/image_uris/0");
  order["image_uris"] = {theirs, mine, theirs};
  EXPECT_EQ(refusal(order).faults.size(), 2U);
}

TEST_F(JobServiceTest, AnAssetWhoseFileIsGoneIsNotInStorage) {
  const std::string uri = keep(acme_);
  ASSERT_TRUE(storage_->remove(spec::storage_key(uri)));
  json order = body();
  order["image_uris"] = {uri};
  EXPECT_EQ(refusal(order).faults.at(0).pointer, "/image_uris/0");
}

TEST_F(JobServiceTest, AMaskIsAPngWithAlpha) {
  const auto refused = service_->keep_asset(acme_, upload("png 10 20", "mask"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(refused.failure().faults.at(0).pointer, "/file");
  EXPECT_FALSE(service_->keep_asset(acme_, upload("webp 10 20 alpha", "mask")));
  json order = body();
  order["mask_uri"] = keep(acme_, "jpeg 10 20");
  expect_fault(order, FailureKind::kInvalid, "/mask_uri");
  order["mask_uri"] = keep(acme_, "png 10 20 alpha", "mask");
  EXPECT_TRUE(service_->submit(acme_, order, ""));
}

TEST_F(JobServiceTest, TextThatCannotBeDrawnIsRefused) {
  json order = body();
  order["captions"] = {{"hook", "\u2603"}};
  expect_fault(order, FailureKind::kInvalid, "/captions/hook");
}

TEST_F(JobServiceTest, AKeyGivesItsJobAgainAndIsRefusedForAnotherBody) {
  const auto first = service_->submit(acme_, body(), "key");
  const auto again = service_->submit(acme_, body(), "key");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->job_id, first->job_id);
  EXPECT_FALSE(first->replayed);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(metrics_.created, 1);
  EXPECT_EQ(notifier_.notified, 1);
  json changed = body();
  changed["prompt"] = "Stale";
  EXPECT_EQ(refusal(changed, "key").kind, FailureKind::kInvalid);
  EXPECT_NE(service_->submit(other_, body(), "key")->job_id, first->job_id);
}

TEST_F(JobServiceTest, AFullStorageIsSaid) {
  make(std::uintmax_t{1} << 60U, {});
  EXPECT_EQ(refusal(body()).kind, FailureKind::kStorageFull);
  EXPECT_EQ(service_->keep_asset(acme_, upload("png 1 1")).failure().kind,
            FailureKind::kStorageFull);
}

TEST_F(JobServiceTest, AFullQueueIsARateLimit) {
  ServiceLimits limits;
  limits.queued_jobs = 1;
  make(0, limits);
  ASSERT_TRUE(service_->submit(acme_, body(), ""));
  EXPECT_EQ(refusal(body()).kind, FailureKind::kRateLimited);
}

TEST_F(JobServiceTest, APlanBoundsQueueAndStorageOfItsTenant) {
  ServiceLimits limits;
  limits.plans["small"] = {.queued_jobs = 1, .weight = 3, .storage_bytes = 20};
  make(0, limits);
  Caller small = acme_;
  small.plan = "small";
  ASSERT_TRUE(service_->submit(small, body(), ""));
  EXPECT_EQ(store_.queue_by_tenant(1)->at(0).weight, 3) << "whoever gives out turns knows it";
  EXPECT_EQ(service_->submit(small, body(), "").failure().kind, FailureKind::kRateLimited);
  EXPECT_EQ(service_->estimate(small, body()).failure().kind, FailureKind::kRateLimited);
  EXPECT_TRUE(service_->submit(other_, body(), "")) << "of the default plan";
  ASSERT_TRUE(service_->keep_asset(small, upload("png 10 20")));
  const auto refused = service_->keep_asset(small, upload("webp 100 200 alpha"));
  EXPECT_EQ(refused.failure().kind, FailureKind::kTooLarge);
  EXPECT_NE(refused.failure().detail.find("9 of 20 bytes"), std::string::npos)
      << refused.failure().detail;
  const json usage = to_json(*service_->usage(small));
  EXPECT_EQ(usage.at("plan"), "small");
  EXPECT_EQ(usage.at("limits").at("weight"), 3);
  EXPECT_EQ(usage.at("used").at("queued_jobs"), 1);
  EXPECT_EQ(usage.at("used").at("storage_bytes"), 9);
  EXPECT_EQ(usage.at("used").at("stored_uploads"), 1);
  KeyOrder order{.tenant = "acme", .may_read = true, .plan = "golden"};
  Caller admin = acme_;
  admin.admin = true;
  EXPECT_EQ(service_->create_key(admin, order).failure().faults.at(0).pointer, "/plan");
  order.plan = "small";
  EXPECT_EQ(service_->create_key(admin, order)->key.plan, "small");
  EXPECT_EQ(service_->create_key(small, order).failure().kind, FailureKind::kForbidden);
}

TEST_F(JobServiceTest, ADrainingServerTakesNoJobsButReplays) {
  ASSERT_TRUE(service_->submit(acme_, body(), "key"));
  health_.draining_now = true;
  EXPECT_EQ(refusal(body()).kind, FailureKind::kUnavailable);
  EXPECT_TRUE(service_->submit(acme_, body(), "key")->replayed);
  EXPECT_EQ(service_->readiness().blocking.at(0), "draining");
}

TEST_F(JobServiceTest, UploadsAreJudgedByTheirBytes) {
  const auto asset = service_->keep_asset(acme_, upload("jpeg 10 20"));
  ASSERT_TRUE(asset);
  EXPECT_EQ(asset->uri, "storage://" + asset->key);
  EXPECT_EQ(asset->sha256, sha256_hex("jpeg 10 20"));
  EXPECT_EQ(asset->key, "assets/acme/" + asset->sha256 + ".jpg");
  EXPECT_EQ(asset->size, 10);
  EXPECT_EQ(asset->media.size.width, 10);
  EXPECT_EQ(asset->media.size.height, 20);
  EXPECT_EQ(*read_file(*storage_->local(asset->key)), "jpeg 10 20");
  EXPECT_EQ(store_.asset("acme", asset->key)->client_name, "../../cat.png");
  EXPECT_EQ(service_->keep_asset(acme_, upload("jpeg 10 20"))->key, asset->key);

  const auto refused = [this](const std::string& bytes, const std::string& category) {
    return service_->keep_asset(acme_, upload(bytes, category)).failure();
  };
  EXPECT_EQ(refused("broken 1 1", "image").kind, FailureKind::kMalformed);
  EXPECT_EQ(refused("text 1 1", "image").kind, FailureKind::kUnsupportedType);
  EXPECT_EQ(refused("png 5000 1", "image").kind, FailureKind::kInvalid);
  EXPECT_EQ(refused("png 5000 1", "image").faults.at(0).pointer, "/file");
  EXPECT_EQ(refused("png 1 1" + std::string(20'000'000, ' '), "image").kind,
            FailureKind::kTooLarge);
  EXPECT_EQ(refused("broken 1 1 8000", "audio").kind, FailureKind::kMalformed);
  EXPECT_EQ(refused("mp3 901 1 8000", "audio").faults.at(0).pointer, "/file");
  for (const char* category : {"", "font"}) {
    EXPECT_EQ(refused("png 1 1", category).kind, FailureKind::kInvalid);
    EXPECT_EQ(refused("png 1 1", category).faults.at(0).pointer, "/category");
  }
}

TEST_F(JobServiceTest, AnUploadIsReadByItsTenantAndAdmins) {
  const std::string key = service_->keep_asset(acme_, upload("jpeg 10 20"))->key;
  for (const Caller& caller : {acme_, admin_}) {
    const auto file = service_->asset_file(caller, key);
    ASSERT_TRUE(file);
    EXPECT_EQ(*read_file(file->path), "jpeg 10 20");
    EXPECT_EQ(file->content_type, "image/jpeg");
    EXPECT_EQ(file->etag, "\"" + sha256_hex("jpeg 10 20") + "\"");
    EXPECT_EQ(service_->asset(caller, key)->uri, "storage://" + key);
  }
  const auto sound = service_->keep_asset(acme_, upload("mp3 3 1 8000", "audio"));
  EXPECT_EQ(service_->asset_file(acme_, sound->key)->content_type, "audio/mpeg");
  EXPECT_EQ(service_->asset_file(other_, key).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->asset(other_, key).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->asset_file(admin_, key + "x").failure().kind, FailureKind::kNotFound);
  Caller submitter = acme_;
  submitter.may_read = false;
  EXPECT_EQ(service_->asset_file(submitter, key).failure().kind, FailureKind::kForbidden);
  ASSERT_TRUE(service_->delete_asset(acme_, key));
  EXPECT_EQ(service_->asset_file(acme_, key).failure().kind, FailureKind::kNotFound);
}

TEST_F(JobServiceTest, ClipsAreJudgedByTheirBytes) {
  const auto clip = service_->keep_asset(acme_, upload("mp4 1080 1920 12.5", "video"));
  ASSERT_TRUE(clip) << clip.failure().detail;
  EXPECT_TRUE(clip->key.ends_with(".mp4"));
  EXPECT_EQ(clip->media.size.width, 1080);
  EXPECT_EQ(clip->media.size.height, 1920);
  EXPECT_EQ(clip->media.duration_seconds, 12.5);
  EXPECT_EQ(store_.asset("acme", clip->key)->media.duration_seconds, 12.5);
  EXPECT_EQ(service_->keep_asset(acme_, upload("png 1 1"))->media.duration_seconds, 0);

  const auto refused = [this](const std::string& bytes) {
    return service_->keep_asset(acme_, upload(bytes, "video")).failure();
  };
  EXPECT_EQ(refused("broken").kind, FailureKind::kMalformed);
  EXPECT_EQ(refused("png 1 1").kind, FailureKind::kUnsupportedType);
  EXPECT_EQ(refused("mp4 1 1 121").kind, FailureKind::kInvalid);
  EXPECT_EQ(refused("mp4 1 1 121").faults.at(0).pointer, "/file");
  // A clip may be larger than an image.
  EXPECT_TRUE(
      service_->keep_asset(acme_, upload("mp4 1 1 2" + std::string(20'000'000, ' '), "video")));
}

TEST_F(JobServiceTest, ClipsAndImagesAreNotMistakenForEachOther) {
  const std::string clip = keep(acme_, "mp4 1080 1920 12.5", "video");
  const std::string image = keep(acme_);
  json wrong = body();
  wrong["clip_uris"] = {clip, image};
  expect_fault(wrong, FailureKind::kInvalid, "/clip_uris/1");
  wrong = body();
  wrong["image_uris"] = {clip};
  expect_fault(wrong, FailureKind::kInvalid, "/image_uris/0");
  wrong = body();
  wrong["clip_uris"] = {"storage://assets/acme/none.mp4"};
  expect_fault(wrong, FailureKind::kInvalid, "/clip_uris/0");
  json right = body();
  right["image_uris"] = {image};
  right["clip_uris"] = {clip};
  const auto submitted = service_->submit(acme_, right, "");
  ASSERT_TRUE(submitted) << submitted.failure().detail;
  EXPECT_EQ(store_.job(submitted->job_id)->spec.assets.clips, std::vector<std::string>{clip});
}

TEST_F(JobServiceTest, AudioSaysWhatItIs) {
  const auto asset = service_->keep_asset(acme_, upload("mp3 12.5 2 44100", "audio"));
  ASSERT_TRUE(asset) << asset.failure().detail;
  EXPECT_EQ(asset->media.duration_seconds, 12.5);
  EXPECT_EQ(asset->media.channels, 2);
  EXPECT_EQ(asset->media.sample_rate, 44'100);
  EXPECT_EQ(asset->media.size, gpu::Size{});
  EXPECT_TRUE(asset->key.ends_with(".mp3"));
  const auto image = service_->keep_asset(acme_, upload("png 10 20"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->media.duration_seconds, 0);
  EXPECT_EQ(image->media.channels, 0);
  EXPECT_EQ(image->media.sample_rate, 0);
}

TEST_F(JobServiceTest, AudioIsTakenWhereItFits) {
  const std::string audio = service_->keep_asset(acme_, upload("wav 10.0004 1 8000", "audio"))->uri;
  json order = body();
  order["music_uri"] = audio;
  order["voice_uri"] = audio;
  order["target_duration_seconds"] = 11;
  const auto submitted = service_->submit(acme_, order, "");
  ASSERT_TRUE(submitted) << submitted.failure().detail;
  const spec::RenderSpec spec = service_->job(acme_, submitted->job_id)->spec;
  EXPECT_EQ(spec.assets.music, audio);
  EXPECT_EQ(spec.assets.voice, audio);
  EXPECT_TRUE(spec.audio_plan.duck_music);

  order["target_duration_seconds"] = 10;
  const Failure cut = service_->submit(acme_, order, "").failure();
  EXPECT_EQ(cut.kind, FailureKind::kInvalid);
  ASSERT_EQ(cut.faults.size(), 1U);
  EXPECT_EQ(cut.faults[0].pointer, "/voice_uri");
  EXPECT_NE(cut.faults[0].detail.find("lasts 10.0004 s and the video 10 s"), std::string::npos);

  const std::string image = service_->keep_asset(acme_, upload("png 10 20"))->uri;
  order = body();
  order["music_uri"] = image;
  order["voice_uri"] = "storage://assets/none.mp3";
  order["image_uris"] = {audio};
  const Failure wrong = service_->submit(acme_, order, "").failure();
  ASSERT_EQ(wrong.faults.size(), 3U);
  EXPECT_EQ(wrong.faults[0].pointer, "/image_uris/0");
  EXPECT_EQ(wrong.faults[1].pointer, "/music_uri");
  EXPECT_EQ(wrong.faults[2].pointer, "/voice_uri");
}

TEST_F(JobServiceTest, AStrangeTenantNameMakesNoStrangePath) {
  const Caller strange{"../../x", true, true, false};
  const auto asset = service_->keep_asset(strange, upload("png 1 1"));
  ASSERT_TRUE(asset) << asset.failure().detail;
  EXPECT_EQ(asset->key.find(".."), std::string::npos);
}

TEST_F(JobServiceTest, AnotherTenantsJobsAreNotThereAndAdminsSeeAll) {
  const std::string id = service_->submit(acme_, body(), "")->job_id;
  EXPECT_TRUE(service_->job(acme_, id));
  EXPECT_TRUE(service_->job(admin_, id));
  EXPECT_EQ(service_->job(other_, id).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->segments(other_, id).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->output(other_, id).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->segments(acme_, id)->size(), 5U);
  EXPECT_EQ(service_->list(acme_, {})->jobs.size(), 1U);
  EXPECT_EQ(service_->list(other_, {})->jobs.size(), 0U);
  EXPECT_EQ(service_->list(admin_, {})->jobs.size(), 1U);
  EXPECT_EQ(service_->list(acme_, {std::nullopt, "", 0}).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(service_->list(acme_, {std::nullopt, "", 201}).failure().kind, FailureKind::kInvalid);
}

TEST_F(JobServiceTest, ScopesAreAskedFor) {
  const Caller reader{"acme", false, true, false};
  const Caller submitter{"acme", true, false, false};
  EXPECT_EQ(service_->submit(reader, body(), "").failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->keep_asset(reader, upload("png 1 1")).failure().kind,
            FailureKind::kForbidden);
  EXPECT_EQ(service_->job(submitter, "x").failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->list(submitter, {}).failure().kind, FailureKind::kForbidden);
  EXPECT_TRUE(service_->submit(submitter, body(), ""));
}

TEST_F(JobServiceTest, APreviewIsAFrameOfWhatWasAskedAndStoresNothing) {
  json order = body();
  order["target_duration_seconds"] = 6;
  EXPECT_EQ(*service_->preview(acme_, order, {}), "acme 0");
  EXPECT_EQ(*service_->preview(acme_, order, {1.5, 0, 1}), "acme 45");
  EXPECT_EQ(*service_->preview(acme_, order, {60, 0, 1}), "acme 179") << "the last";
  EXPECT_EQ(*service_->preview(acme_, order, {1, 2, 4}), "acme 30 90 150 179");
  EXPECT_TRUE(service_->list(acme_, {})->jobs.empty());
  order["captions"] = {{"hook", "\u2603"}};
  EXPECT_EQ(service_->preview(acme_, order, {}).failure().kind, FailureKind::kInvalid);
  order = body();
  order["image_uris"] = {"storage://assets/other/1.png"};
  EXPECT_FALSE(service_->preview(acme_, order, {})) << "another tenant's image";
  const Caller reader{"acme", false, true, false};
  EXPECT_EQ(service_->preview(reader, body(), {}).failure().kind, FailureKind::kForbidden);
}

TEST_F(JobServiceTest, TheOutputIsThereWhenTheJobIsDone) {
  const std::string id = service_->submit(acme_, body(), "")->job_id;
  EXPECT_EQ(service_->output(acme_, id).failure().kind, FailureKind::kConflict);
  finish_next();
  EXPECT_EQ(service_->output(acme_, id).failure().kind, FailureKind::kNotFound);
  const fs::path staged = storage_->staging("output.mp4");
  ASSERT_TRUE(write_file_atomically(staged, "video"));
  ASSERT_TRUE(storage_->put(staged, "jobs/" + id + "/output.mp4"));
  const auto output = service_->output(acme_, id);
  ASSERT_TRUE(output);
  EXPECT_EQ(*read_file(output->path), "video");
  EXPECT_EQ(output->content_type, "video/mp4");
  EXPECT_EQ(output->etag.front(), '"');
  EXPECT_EQ(service_->thumbnail(acme_, id).failure().kind, FailureKind::kNotFound);
}

TEST_F(JobServiceTest, TheOutputIsTheOneThatTheRowNames) {
  const std::string id = service_->submit(acme_, body(), "")->job_id;
  for (const char* folder : {"outputs/x/1.4", "outputs/x/2.9"}) {
    const fs::path staged = storage_->staging("output.mp4");
    ASSERT_TRUE(write_file_atomically(staged, folder));
    ASSERT_TRUE(storage_->put(staged, std::string(folder) + "/output.mp4"));
  }
  finish_next("outputs/x/2.9");
  const auto output = service_->output(acme_, id);
  ASSERT_TRUE(output);
  EXPECT_EQ(*read_file(output->path), "outputs/x/2.9");
  ASSERT_TRUE(storage_->link("outputs/x/1.4/output.mp4", "jobs/" + id + "/output.mp4"));
  EXPECT_EQ(*read_file(service_->output(acme_, id)->path), "outputs/x/2.9")
      << "links are for people";
}

TEST_F(JobServiceTest, PresetsAreListedWhole) {
  const auto presets = service_->presets();
  ASSERT_EQ(presets["presets"].size(), catalogue_.presets.size());
  EXPECT_TRUE(presets["presets"][0].contains("engines"));
}

TEST_F(JobServiceTest, AJobIsDeletedByItsOwnerWhenItHasEnded) {
  const std::string id = service_->submit(acme_, body(), "key")->job_id;
  const Caller reader{"acme", false, true, false};
  EXPECT_EQ(service_->delete_job(reader, id).failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->delete_job(other_, id).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->delete_job(acme_, id).failure().kind, FailureKind::kConflict);
  finish_next();
  put_file(job_file_key(id, "output.mp4"));
  ASSERT_TRUE(service_->output(acme_, id));
  ASSERT_TRUE(service_->delete_job(acme_, id));
  EXPECT_EQ(service_->job(acme_, id).failure().kind, FailureKind::kNotFound);
  EXPECT_FALSE(*storage_->contains(job_file_key(id, "output.mp4")));
  EXPECT_EQ(gc_metrics_.deleted["job_file"], 1);
  const auto again = service_->submit(acme_, body(), "key");
  EXPECT_NE(again->job_id, id) << "the idempotency key went with the job";
}

TEST_F(JobServiceTest, AnUploadIsDeletedByItsOwnerWhenNoLiveJobNeedsIt) {
  const std::string uri = keep(acme_);
  const std::string key = uri.substr(std::string("storage://").size());
  json order = body();
  order["image_uris"] = {uri};
  const std::string id = service_->submit(acme_, order, "")->job_id;
  EXPECT_EQ(service_->delete_asset(other_, key).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->delete_asset(acme_, key).failure().kind, FailureKind::kConflict);
  ASSERT_TRUE(service_->cancel(acme_, id));
  ASSERT_TRUE(service_->delete_asset(acme_, key));
  EXPECT_FALSE(*storage_->contains(key));
  EXPECT_EQ(refusal(order).faults.at(0).pointer, "/image_uris/0");
}

TEST_F(JobServiceTest, OnlyAnOperatorErasesATenant) {
  keep(acme_);
  const std::string theirs = keep(other_);
  ASSERT_TRUE(service_->submit(acme_, body(), "key"));
  EXPECT_EQ(service_->purge_tenant(acme_, "acme").failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->purge_tenant(admin_, "").failure().kind, FailureKind::kInvalid);
  const auto purged = service_->purge_tenant(admin_, "acme");
  ASSERT_TRUE(purged) << purged.failure().detail;
  EXPECT_TRUE(purged->complete());
  EXPECT_EQ(purged->jobs_cancelled, 1);
  EXPECT_EQ(purged->deleted, (DeletedCounts{{"asset", 1}, {"job", 1}, {"upload", 1}}));
  EXPECT_EQ(service_->list(admin_, {})->jobs.size(), 0U);
  EXPECT_TRUE(*storage_->contains(theirs.substr(std::string("storage://").size())));
}

}  // namespace pytoon::jobs
