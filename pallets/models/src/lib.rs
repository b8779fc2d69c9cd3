//! # Model registry
//!
//! Records which architectures, models and verifying keys exist, who owns them, and which of them can be asked. See
//! the crate's `README.md` for the surface, the cross-pallet contract and the money model.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(any(test, feature = "runtime-benchmarks"))]
mod benchmarking;
mod families;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod training;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(clippy::expect_used)] // the macro expands to it
pub mod pallet {
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, InspectHold, MutateHold},
			tokens::Precision,
		},
	};
	use frame_system::pallet_prelude::*;
	use opensand_nn::Architecture;
	use opensand_primitives::{
		ids::model_id,
		inference::{MAX_INPUT_BYTES, MAX_OUTPUT_BYTES},
		models::{
			ArchitectureRecord, ArtifactLocator, CommitmentBytes, FamilyRecord, InferenceTerms, KeyBytes,
			KeyRecord, KeyStatus, ModelRecord, ModelView, ModelWeights, RegistrationProof, TrainingSet,
			TrainingSets,
		},
		storage::DataView,
		AccountId, ArchitectureId, Balance, Hash, KeyId, ModelId, OrderId,
	};
	use opensand_zk_verifier::{Curve, InputVisibility, KeyOrigin, StatementShape, VerifyingKey};
	use sp_runtime::DispatchError;

	use crate::WeightInfo;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The registry's pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, Hash = Hash, RuntimeEvent: From<Event<Self>>>
	{
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The token in which deposits are held.
		type Currency: Inspect<AccountId, Balance = Balance>
			+ InspectHold<AccountId>
			+ MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// Who decides on keys that came out of a ceremony: the `ProverKeys` track, and Root.
		type KeyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The arithmetic by which the points of keys are checked.
		type Curve: Curve;

		/// The stored data that models are trained on.
		type Data: DataView<AccountId>;

		/// The storage market, where benchmarks set up the datasets that they name.
		#[cfg(any(test, feature = "runtime-benchmarks"))]
		type BenchmarkDatasets: opensand_primitives::storage::BenchmarkDatasets;

		/// Deposit per stored item.
		#[pallet::constant]
		type ItemDeposit: Get<Balance>;

		/// Deposit per stored byte.
		#[pallet::constant]
		type ByteDeposit: Get<Balance>;

		/// The longest architecture that the chain stores, in bytes.
		#[pallet::constant]
		type MaxArchitectureBytes: Get<u32>;

		/// The calls' weights.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the storage that an architecture takes; back when it is removed.
		ArchitectureDeposit,
		/// For the storage that a model's record takes; back when it is removed.
		ModelDeposit,
		/// For the storage that a verifying key takes; back when it is removed.
		KeyDeposit,
	}

	/// Architectures by id.
	#[pallet::storage]
	pub type Architectures<T> = StorageMap<_, Identity, ArchitectureId, ArchitectureRecord>;

	/// The bytes of architectures. Each has an entry in [`Architectures`].
	#[pallet::storage]
	pub type ArchitectureBytes<T: Config> =
		StorageMap<_, Identity, ArchitectureId, BoundedVec<u8, T::MaxArchitectureBytes>>;

	/// Models by id.
	#[pallet::storage]
	pub type Models<T> = StorageMap<_, Identity, ModelId, ModelRecord>;

	/// The models of each owner.
	#[pallet::storage]
	pub type ModelsOf<T> = StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, ModelId, ()>;

	/// Verifying keys by id.
	#[pallet::storage]
	pub type Keys<T> = StorageMap<_, Identity, KeyId, KeyRecord>;

	/// The bytes of verifying keys for inferences. Each has an entry in [`Keys`] or in [`Families`].
	#[pallet::storage]
	pub type VerifyingKeys<T> = StorageMap<_, Identity, KeyId, KeyBytes>;

	/// Key families by their inference keys.
	#[pallet::storage]
	pub type Families<T> = StorageMap<_, Identity, KeyId, FamilyRecord>;

	/// The bytes of families' registration keys. Each has an entry in [`Families`]. Families whose keys come from one
	/// set-up, for the two visibilities, may have the same.
	#[pallet::storage]
	pub type RegistrationKeys<T> = StorageMap<_, Identity, KeyId, KeyBytes>;

	/// The datasets that models were declared to be trained on. Each has an entry in [`Models`].
	#[pallet::storage]
	pub type TrainedOn<T> = StorageMap<_, Identity, ModelId, TrainingSets, ValueQuery>;

	/// Whether this is a development chain, on which keys from a single machine are taken. Set at genesis only.
	#[pallet::storage]
	pub type DevelopmentKeys<T> = StorageValue<_, bool, ValueQuery>;

	/// What the chain specification decides.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Whether keys from a single machine are taken. Whoever made such a key can forge every proof under it: only
		/// for chains on which nothing is at stake.
		pub development_keys: bool,
		/// Binds the type to the runtime.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			DevelopmentKeys::<T>::put(self.development_keys);
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// `register_architecture` stored an architecture.
		ArchitectureRegistered {
			/// BLAKE2-256 of its bytes.
			architecture: ArchitectureId,
			/// Who registered it.
			depositor: AccountId,
		},
		/// `remove_architecture` removed an architecture and gave its deposit back.
		ArchitectureRemoved {
			/// The architecture.
			architecture: ArchitectureId,
		},
		/// `register_model` or `register_committed_model` recorded a model. It can be asked once a key of its own is
		/// accepted, or its commitment is activated.
		ModelRegistered {
			/// The model.
			model: ModelId,
			/// Its owner.
			owner: AccountId,
			/// Its architecture.
			architecture: ArchitectureId,
			/// BLAKE2-256 of its encoded weights.
			weights_hash: [u8; 32],
			/// Whether statements show the input.
			input_visibility: InputVisibility,
			/// What the owner asks for one inference.
			royalty: Balance,
		},
		/// `remove_model` removed a model with its key and gave the deposits back.
		ModelRemoved {
			/// The model.
			model: ModelId,
		},
		/// `register_key` stored a key for a model.
		KeyRegistered {
			/// BLAKE2-256 of the key's bytes.
			key: KeyId,
			/// The model.
			model: ModelId,
			/// Who made the key, by its own claim.
			origin: KeyOrigin,
			/// `Accepted` at once on a development chain for a development key, otherwise `Pending`.
			status: KeyStatus,
		},
		/// Governance accepted a model's key: the model can be asked.
		KeyAccepted {
			/// The key.
			key: KeyId,
			/// Its model.
			model: ModelId,
		},
		/// Governance rejected a model's key: the model takes no new request.
		KeyRejected {
			/// The key.
			key: KeyId,
			/// Its model.
			model: ModelId,
		},
		/// A key was removed, by `remove_key` or with its model, and its deposit given back.
		KeyRemoved {
			/// The key.
			key: KeyId,
			/// Its model.
			model: ModelId,
		},
		/// `set_royalty` changed what the owner asks. Requests made before keep the royalty of their time.
		RoyaltySet {
			/// The model.
			model: ModelId,
			/// The new royalty.
			royalty: Balance,
		},
		/// `set_artifacts` changed where the artifacts can be fetched.
		ArtifactsSet {
			/// The model.
			model: ModelId,
			/// The new locator.
			artifacts: ArtifactLocator,
		},
		/// `set_active` opened or closed a model for new requests.
		ActiveSet {
			/// The model.
			model: ModelId,
			/// Whether new requests are taken.
			active: bool,
		},
		/// `register_family` stored the two keys of a family.
		FamilyRegistered {
			/// BLAKE2-256 of the inference key's bytes, by which the family is known.
			family: KeyId,
			/// BLAKE2-256 of the registration key's bytes.
			registration: KeyId,
			/// Who registered it.
			depositor: AccountId,
			/// The architecture of its models.
			architecture: ArchitectureId,
			/// Who made the keys, by their own claim.
			origin: KeyOrigin,
			/// `Accepted` at once on a development chain for development keys, otherwise `Pending`.
			status: KeyStatus,
		},
		/// Governance accepted a family: models can be registered and activated under it, and asked.
		FamilyAccepted {
			/// The family.
			family: KeyId,
		},
		/// Governance rejected a family: its models take no new request.
		FamilyRejected {
			/// The family.
			family: KeyId,
		},
		/// `remove_family` removed a family and gave its deposit back.
		FamilyRemoved {
			/// The family.
			family: KeyId,
		},
		/// `activate_model` verified that a commitment opens to well-formed weights: the model can be asked.
		ModelActivated {
			/// The model.
			model: ModelId,
			/// The commitment to its weights, with which its inferences are proven.
			commitment: CommitmentBytes,
		},
		/// `declare_training` recorded that a model was trained on a dataset, with the model and in the dataset's record.
		TrainingDeclared {
			/// The model.
			model: ModelId,
			/// The dataset's storage order.
			dataset: OrderId,
			/// The digest of its manifest.
			manifest: [u8; 32],
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The bytes are not an architecture: wrong magic, cut short, too long, or followed by others. Send the
		/// `architecture.bin` that `opensand-zk` wrote.
		UndecodableArchitecture,
		/// The architecture's encoding is of a version that this runtime does not know. Import the model again with the
		/// tools of this release, or wait for the runtime's upgrade.
		UnsupportedArchitectureVersion,
		/// The bytes decode, but what they describe is not a model: shapes that disagree, a window that does not fit, a
		/// limit passed. `opensand-zk import` names the layer.
		InvalidArchitecture,
		/// Inputs or outputs of this architecture are longer than a request can carry. Make the model's input at most
		/// 12,288 and its output at most 2,048 values.
		TensorTooLong,
		/// This architecture is registered already. Use it: its id is the hash of its bytes.
		ArchitectureExists,
		/// No architecture has this id. Register it first.
		UnknownArchitecture,
		/// Models or families of this architecture are registered. It can go when they are gone.
		ArchitectureInUse,
		/// Only the account that registered the architecture or family can remove it.
		NotDepositor,
		/// You have registered a model of this architecture, weights and visibility already, with constant weights or with
		/// committed ones. Use it, or remove it.
		ModelExists,
		/// No model has this id. Check it against the `ModelRegistered` event.
		UnknownModel,
		/// Only the model's owner can do this. Sign with the owner's account.
		NotOwner,
		/// Requests for this model are open. Deactivate it, wait until they have closed, then try again.
		ModelInUse,
		/// The model has a key already, its own or its family's. Remove its own first; a family's stays.
		KeyExists,
		/// This very key belongs to another model: weights are constants of a key's circuit, so make one for yours.
		KeyTaken,
		/// No key has this id, or the model has none. Register one.
		UnknownKey,
		/// The key is accepted already. There is nothing to do.
		AlreadyAccepted,
		/// The key is rejected already. There is nothing to do.
		AlreadyRejected,
		/// Keys made by one machine are refused on this chain, because their maker could forge proofs. Run a ceremony.
		DevelopmentKeyRefused,
		/// The key's encoding is of another version. Export it with the tools of this release.
		UnsupportedKeyVersion,
		/// The key claims neither to be a development key nor to come from a ceremony. Export it again.
		UnknownKeyOrigin,
		/// The key is shorter or longer than its segments demand. Send the whole `verifying.key`, nothing else.
		WrongKeyLength,
		/// The key is for empty tensors or for longer ones than any statement may have, or does not say for what it is.
		/// Export it again, or compile the model with a hashed input.
		InvalidKeyShape,
		/// A coordinate of the key, commitment or proof is not smaller than the field's prime, or carries flag bits. Export it
		/// uncompressed.
		NonCanonicalPoint,
		/// A point of the key, commitment or proof is not on the curve: the bytes were damaged. Export it again.
		PointOffCurve,
		/// A point of the key, commitment or proof lies outside the subgroup of prime order: it is damaged or malicious.
		PointOffSubgroup,
		/// A point of the key, commitment or proof is the identity, so part of the statement would not be bound: it is
		/// damaged or malicious.
		IdentityPoint,
		/// Two of γ, δ, δ₁ and δ_w are equal up to sign: one proof would give others. The key is malicious, or its setup was
		/// never randomised.
		EqualTrapdoors,
		/// The key is for tensors of other lengths than the model's or architecture's, or for the other visibility. It was
		/// made for another one.
		WrongKeyShape,
		/// The key takes a commitment to weights: it is a family's. Register the family by `register_family` and the model
		/// by `register_committed_model`.
		CommittedWeights,
		/// More requests for this model are open than can be counted. Try again when some have closed.
		TooManyUses,
		/// More models or families are registered than can be counted.
		TooManyModels,
		/// The key for inferences takes no commitment to weights: it is one model's. Register it by `register_key`.
		ConstantWeights,
		/// The keys are not a family's: the first is no registration key for the second, or they claim different origins.
		/// Send both keys of one set-up, the registration key first.
		NotAFamily,
		/// This family is registered already. Use it.
		FamilyExists,
		/// No family has this inference key. Register it, or check its id against the `FamilyRegistered` event.
		UnknownFamily,
		/// The family is not accepted. Wait for governance to accept it, or choose another.
		FamilyNotAccepted,
		/// Models of this family are registered. It can go when they are gone.
		FamilyInUse,
		/// The model that this one carries on is not yours or is not of this family. Name another, or none.
		UnrelatedPrevious,
		/// The weights of this model are constants of its key's circuit: there is nothing to activate. Register its key.
		NothingToActivate,
		/// The model is activated already, and its commitment stays. Register other weights as another model, which can
		/// name this one as the one before it.
		AlreadyActivated,
		/// The proof does not register this commitment for this model and owner under the family's registration key. Prove
		/// it again for this chain, key, model and account.
		InvalidRegistration,
		/// The model's key is its family's and stays with the family. Remove the model, or deactivate it.
		FamilyKey,
		/// No storage order has this id, or its data are lost. Check it against the dataset's events.
		UnknownDataset,
		/// The model's owner may not train on this dataset. Ask its owner for access with permission to train, or buy a
		/// licence with it.
		TrainingNotPermitted,
		/// This is declared already. There is nothing to do.
		TrainingDeclaredBefore,
		/// The model is declared to be trained on 64 datasets already. Store what belongs together as one dataset.
		TooManyTrainingSets,
		/// The registry has lost the registration key of a family. It cannot happen; report it.
		MissingKey,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxArchitectureBytes::get() > 0, "an architecture has bytes");
			assert!(
				T::MaxArchitectureBytes::get() as usize <= opensand_nn::limits::MAX_ARCHITECTURE_BYTES,
				"the chain cannot take more than the format allows"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Stores an architecture. Its id is the BLAKE2-256 hash of `bytes`. A deposit by its length is held until it
		/// is removed.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_architecture(bytes.len() as u32))]
		pub fn register_architecture(
			origin: OriginFor<T>,
			bytes: BoundedVec<u8, T::MaxArchitectureBytes>,
		) -> DispatchResult {
			let depositor = ensure_signed(origin)?;
			let architecture = Architecture::from_bytes(&bytes).map_err(Error::<T>::from)?;
			let (input_len, output_len) = (architecture.input_len(), architecture.output_len());
			ensure!(
				input_len <= MAX_INPUT_BYTES && output_len <= MAX_OUTPUT_BYTES,
				Error::<T>::TensorTooLong
			);
			let id = ArchitectureId::from(sp_io::hashing::blake2_256(&bytes));
			ensure!(
				!Architectures::<T>::contains_key(id),
				Error::<T>::ArchitectureExists
			);

			let deposit = Self::deposit(2, bytes.len());
			T::Currency::hold(&HoldReason::ArchitectureDeposit.into(), &depositor, deposit)?;
			let record = ArchitectureRecord {
				depositor: depositor.clone(),
				deposit,
				input_len,
				output_len,
				models: 0,
				families: 0,
			};
			Architectures::<T>::insert(id, record);
			ArchitectureBytes::<T>::insert(id, bytes);
			Self::deposit_event(Event::ArchitectureRegistered {
				architecture: id,
				depositor,
			});
			Ok(())
		}

		/// Removes an architecture of which no model and no family is registered, and gives its deposit back.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::remove_architecture())]
		pub fn remove_architecture(origin: OriginFor<T>, architecture: ArchitectureId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Architectures::<T>::get(architecture).ok_or(Error::<T>::UnknownArchitecture)?;
			ensure!(record.depositor == who, Error::<T>::NotDepositor);
			ensure!(
				record.models == 0 && record.families == 0,
				Error::<T>::ArchitectureInUse
			);
			Self::release(HoldReason::ArchitectureDeposit, &who, record.deposit)?;
			Architectures::<T>::remove(architecture);
			ArchitectureBytes::<T>::remove(architecture);
			Self::deposit_event(Event::ArchitectureRemoved { architecture });
			Ok(())
		}

		/// Records a model of a registered architecture under the caller. It is active at once, but takes requests
		/// only when a key of its own is accepted. A deposit is held until it is removed.
		///
		/// - `weights_hash`: BLAKE2-256 of the encoded weights.
		/// - `input_visibility`: fixed for the model's life, since its key depends on it.
		/// - `royalty`: what the owner is paid for one inference.
		/// - `artifacts`: where weights and proving key can be fetched, as a CID or URI; may be empty.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::register_model())]
		pub fn register_model(
			origin: OriginFor<T>,
			architecture: ArchitectureId,
			weights_hash: [u8; 32],
			input_visibility: InputVisibility,
			royalty: Balance,
			artifacts: ArtifactLocator,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::record_model(ModelRecord {
				owner,
				architecture,
				weights_hash,
				input_visibility,
				royalty,
				artifacts,
				key: None,
				weights: ModelWeights::Constant,
				active: true,
				open_uses: 0,
				deposit: Self::deposit(2, ModelRecord::max_encoded_len()),
			})
			.map(drop)
		}

		/// Stores the verifying key of a model that has none. Every check of the key is made: encoding, curve,
		/// subgroups, identities, distinct trapdoors, and that it is for the model's shape and visibility.
		///
		/// A development key is accepted at once on a development chain and refused elsewhere. A key from a ceremony
		/// waits for governance. A deposit by its length is held until it is removed.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::register_key())]
		pub fn register_key(origin: OriginFor<T>, model: ModelId, bytes: KeyBytes) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut record = Self::owned(&model, &who)?;
			ensure!(record.key.is_none(), Error::<T>::KeyExists);
			let key = KeyId::from(sp_io::hashing::blake2_256(&bytes));
			ensure!(!Keys::<T>::contains_key(key), Error::<T>::KeyTaken);
			let architecture =
				Architectures::<T>::get(record.architecture).ok_or(Error::<T>::UnknownArchitecture)?;

			let checked = VerifyingKey::from_bytes_with::<T::Curve>(&bytes).map_err(Error::<T>::from)?;
			let expected = StatementShape {
				visibility: record.input_visibility,
				input_len: architecture.input_len,
				output_len: architecture.output_len,
			};
			ensure!(checked.shape() == expected, Error::<T>::WrongKeyShape);
			ensure!(!checked.has_weights(), Error::<T>::CommittedWeights);
			let origin = checked.origin();
			let status = Self::first_status(origin)?;

			let deposit = Self::deposit(2, bytes.len());
			T::Currency::hold(&HoldReason::KeyDeposit.into(), &who, deposit)?;
			record.key = Some(key);
			Models::<T>::insert(model, record);
			Keys::<T>::insert(
				key,
				KeyRecord {
					model,
					status,
					origin,
					deposit,
				},
			);
			VerifyingKeys::<T>::insert(key, bytes);
			Self::deposit_event(Event::KeyRegistered {
				key,
				model,
				origin,
				status,
			});
			Ok(())
		}

		/// Accepts a key, after its ceremony's transcript was checked: its model takes requests from now on. `key` may be
		/// a family's inference key, which stands for both keys of the family.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::accept_key())]
		pub fn accept_key(origin: OriginFor<T>, key: KeyId) -> DispatchResult {
			T::KeyOrigin::ensure_origin(origin)?;
			let event = match Self::decide(key, KeyStatus::Accepted, Error::<T>::AlreadyAccepted)? {
				Some(model) => Event::KeyAccepted { key, model },
				None => Event::FamilyAccepted { family: key },
			};
			Self::deposit_event(event);
			Ok(())
		}

		/// Rejects a key, or withdraws its acceptance: its model takes no new requests. Open ones still settle. The
		/// owner can remove the key and gets its deposit back. `key` may be a family's inference key: then no model of the
		/// family takes new requests, none is registered or activated, and anyone can remove it once it has no model.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::reject_key())]
		pub fn reject_key(origin: OriginFor<T>, key: KeyId) -> DispatchResult {
			T::KeyOrigin::ensure_origin(origin)?;
			let event = match Self::decide(key, KeyStatus::Rejected, Error::<T>::AlreadyRejected)? {
				Some(model) => Event::KeyRejected { key, model },
				None => Event::FamilyRejected { family: key },
			};
			Self::deposit_event(event);
			Ok(())
		}

		/// Removes a model's own key while no request for it is open, and gives the key's deposit back.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::remove_key())]
		pub fn remove_key(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut record = Self::owned(&model, &who)?;
			ensure!(record.weights == ModelWeights::Constant, Error::<T>::FamilyKey);
			ensure!(record.open_uses == 0, Error::<T>::ModelInUse);
			let key = record.key.take().ok_or(Error::<T>::UnknownKey)?;
			Self::drop_key(key, model, &who)?;
			Models::<T>::insert(model, record);
			Ok(())
		}

		/// Changes what the owner asks for one inference. Open requests keep the royalty of their time.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::set_royalty())]
		pub fn set_royalty(origin: OriginFor<T>, model: ModelId, royalty: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::owned(&model, &who)?;
			Models::<T>::insert(model, ModelRecord { royalty, ..record });
			Self::deposit_event(Event::RoyaltySet { model, royalty });
			Ok(())
		}

		/// Changes where the model's artifacts can be fetched.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::set_artifacts())]
		pub fn set_artifacts(
			origin: OriginFor<T>,
			model: ModelId,
			artifacts: ArtifactLocator,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::owned(&model, &who)?;
			Models::<T>::insert(
				model,
				ModelRecord {
					artifacts: artifacts.clone(),
					..record
				},
			);
			Self::deposit_event(Event::ArtifactsSet { model, artifacts });
			Ok(())
		}

		/// Opens or closes a model for new requests. Open ones are not touched.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::set_active())]
		pub fn set_active(origin: OriginFor<T>, model: ModelId, active: bool) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::owned(&model, &who)?;
			Models::<T>::insert(model, ModelRecord { active, ..record });
			Self::deposit_event(Event::ActiveSet { model, active });
			Ok(())
		}

		/// Removes a model, with its key if it has one of its own, while no request for it is open. Gives the deposits
		/// back.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::remove_model())]
		pub fn remove_model(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::owned(&model, &who)?;
			ensure!(record.open_uses == 0, Error::<T>::ModelInUse);
			match (&record.weights, record.key) {
				(ModelWeights::Constant, Some(key)) => Self::drop_key(key, model, &who)?,
				(ModelWeights::Committed { .. }, Some(family)) => {
					Families::<T>::mutate_extant(family, |family| {
						family.models = family.models.saturating_sub(1);
					});
				}
				(_, None) => (),
			}
			Self::release(HoldReason::ModelDeposit, &who, record.deposit)?;
			Architectures::<T>::mutate_extant(record.architecture, |architecture| {
				architecture.models = architecture.models.saturating_sub(1);
			});
			Models::<T>::remove(model);
			TrainedOn::<T>::remove(model);
			ModelsOf::<T>::remove(&who, model);
			Self::deposit_event(Event::ModelRemoved { model });
			Ok(())
		}

		/// Stores the two keys of a family for models of a registered architecture whose weights are committed. Every
		/// check of `register_key` is made of both, and that they are of one set-up as far as keys show it.
		///
		/// The family is known by the id of its inference key. Anyone can register it and then holds its deposit, by the
		/// keys' length, until it is removed; owners of models need not be asked. Development keys are accepted at once on
		/// a development chain and refused elsewhere; a family from a ceremony waits for governance.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::register_family())]
		pub fn register_family(
			origin: OriginFor<T>,
			architecture: ArchitectureId,
			registration: KeyBytes,
			inference: KeyBytes,
		) -> DispatchResult {
			let depositor = ensure_signed(origin)?;
			Self::store_family(depositor, architecture, registration, inference)
		}

		/// Removes a family of which no model is registered, and gives its deposit back. Only who registered it can, or
		/// anyone after governance has rejected it, so that wrong keys cannot keep right ones out.
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::remove_family())]
		pub fn remove_family(origin: OriginFor<T>, family: KeyId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::drop_family(&who, family)
		}

		/// Records a model with committed weights under an accepted family. It takes requests when it is activated. A
		/// deposit is held until it is removed.
		///
		/// - `weights_hash`: BLAKE2-256 of the encoded weights.
		/// - `previous`: the caller's model of the same family whose training this one carries on. It stays as it is.
		/// - `royalty`, `artifacts`: as for `register_model`.
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::register_committed_model())]
		pub fn register_committed_model(
			origin: OriginFor<T>,
			family: KeyId,
			weights_hash: [u8; 32],
			previous: Option<ModelId>,
			royalty: Balance,
			artifacts: ArtifactLocator,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			let mut record = Self::accepted_family(&family)?;
			if let Some(previous) = previous {
				let related = Models::<T>::get(previous).is_some_and(|model| {
					model.owner == owner
						&& model.key == Some(family)
						&& model.weights != ModelWeights::Constant
				});
				ensure!(related, Error::<T>::UnrelatedPrevious);
			}
			record.models = record.models.checked_add(1).ok_or(Error::<T>::TooManyModels)?;
			Self::record_model(ModelRecord {
				owner,
				architecture: record.architecture,
				weights_hash,
				input_visibility: record.input_visibility,
				royalty,
				artifacts,
				key: Some(family),
				weights: ModelWeights::Committed {
					commitment: None,
					previous,
				},
				active: true,
				open_uses: 0,
				deposit: Self::deposit(2, ModelRecord::max_encoded_len()),
			})?;
			Families::<T>::insert(family, record);
			Ok(())
		}

		/// Activates a model with committed weights, once: `commitment` becomes the one that its inferences are proven
		/// with. `proof` is verified under the family's registration key; its statement binds this chain, that key, the
		/// model, request 0 and the owner as worker, so it is of use to nobody else.
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::activate_model())]
		pub fn activate_model(
			origin: OriginFor<T>,
			model: ModelId,
			commitment: CommitmentBytes,
			proof: Box<RegistrationProof>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::owned(&model, &who)?;
			let record = Self::activate(model, record, commitment, &proof)?;
			Models::<T>::insert(model, record);
			Self::deposit_event(Event::ModelActivated { model, commitment });
			Ok(())
		}

		/// States that a model was trained on a stored dataset, which its owner may train on now. It stands with the
		/// model and in the dataset's record, and is not taken back while the model is registered. The model's deposit
		/// grows by what the entry takes.
		///
		/// Nothing shows that no other data were used: who trains in secret is not found out by this.
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::declare_training())]
		pub fn declare_training(
			origin: OriginFor<T>,
			model: ModelId,
			#[pallet::compact] dataset: OrderId,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::owned(&model, &who)?;
			Self::record_training(model, record, dataset)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What is recorded of a model.
		pub fn model(model: ModelId) -> Option<ModelRecord> {
			Models::<T>::get(model)
		}

		/// The models of an owner, at most `limit` of them.
		pub fn models_of(owner: AccountId, limit: u32) -> Vec<ModelId> {
			ModelsOf::<T>::iter_key_prefix(owner)
				.take(limit as usize)
				.collect()
		}

		/// The terms of a model that can be asked now; `None` if it is inactive, has no accepted key, or has committed
		/// weights that are not activated.
		pub fn inference_terms(model: ModelId) -> Option<InferenceTerms> {
			let record =
				Models::<T>::get(model).filter(|record| record.active && record.weights.are_known())?;
			let key = record.key?;
			let status = match &record.weights {
				ModelWeights::Constant => Keys::<T>::get(key)?.status,
				ModelWeights::Committed { .. } => Families::<T>::get(key)?.status,
			};
			if status != KeyStatus::Accepted {
				return None;
			}
			let architecture = Architectures::<T>::get(record.architecture)?;
			Some(InferenceTerms {
				owner: record.owner,
				key,
				commitment: record.weights.commitment().copied(),
				input_len: architecture.input_len,
				output_len: architecture.output_len,
				input_visibility: record.input_visibility,
				royalty: record.royalty,
			})
		}

		/// The datasets that a model was declared to be trained on, at most 64.
		pub fn training_sets(model: ModelId) -> Vec<TrainingSet> {
			TrainedOn::<T>::get(model).into_inner()
		}

		/// What is recorded of an architecture.
		pub fn architecture(architecture: ArchitectureId) -> Option<ArchitectureRecord> {
			Architectures::<T>::get(architecture)
		}

		/// The encoded architecture.
		pub fn architecture_bytes(architecture: ArchitectureId) -> Option<Vec<u8>> {
			ArchitectureBytes::<T>::get(architecture).map(BoundedVec::into_inner)
		}

		/// What is recorded of a model's own verifying key.
		pub fn key(key: KeyId) -> Option<KeyRecord> {
			Keys::<T>::get(key)
		}

		/// What is recorded of a family, by its inference key.
		pub fn family(family: KeyId) -> Option<FamilyRecord> {
			Families::<T>::get(family)
		}

		/// The encoded registration key of a family, by its inference key.
		pub fn registration_key(family: KeyId) -> Option<Vec<u8>> {
			RegistrationKeys::<T>::get(family).map(BoundedVec::into_inner)
		}

		/// The encoded verifying key: a model's own, or a family's for inferences.
		pub fn verifying_key(key: KeyId) -> Option<Vec<u8>> {
			VerifyingKeys::<T>::get(key).map(BoundedVec::into_inner)
		}

		/// Whether keys made by a single machine are taken on this chain.
		pub fn takes_development_keys() -> bool {
			DevelopmentKeys::<T>::get()
		}
	}

	impl<T: Config> Pallet<T> {
		/// The deposit for `items` entries of `bytes` bytes together.
		pub(crate) fn deposit(items: u32, bytes: usize) -> Balance {
			T::ItemDeposit::get()
				.saturating_mul(items.into())
				.saturating_add(T::ByteDeposit::get().saturating_mul(bytes as Balance))
		}

		pub(crate) fn release(reason: HoldReason, who: &AccountId, amount: Balance) -> DispatchResult {
			T::Currency::release(&reason.into(), who, amount, Precision::BestEffort).map(drop)
		}

		fn owned(model: &ModelId, who: &AccountId) -> Result<ModelRecord, DispatchError> {
			let record = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
			ensure!(record.owner == *who, Error::<T>::NotOwner);
			Ok(record)
		}

		/// Holds the deposit of a new model and records it. Returns its id.
		fn record_model(record: ModelRecord) -> Result<ModelId, DispatchError> {
			let ModelRecord {
				owner,
				architecture,
				weights_hash,
				input_visibility,
				royalty,
				deposit,
				..
			} = record.clone();
			let model = model_id(&architecture, &weights_hash, input_visibility, &owner);
			ensure!(!Models::<T>::contains_key(model), Error::<T>::ModelExists);
			Architectures::<T>::try_mutate(architecture, |record| {
				let record = record.as_mut().ok_or(Error::<T>::UnknownArchitecture)?;
				record.models = record.models.checked_add(1).ok_or(Error::<T>::TooManyModels)?;
				Ok::<_, Error<T>>(())
			})?;
			T::Currency::hold(&HoldReason::ModelDeposit.into(), &owner, deposit)?;
			Models::<T>::insert(model, record);
			ModelsOf::<T>::insert(&owner, model, ());
			Self::deposit_event(Event::ModelRegistered {
				model,
				owner,
				architecture,
				weights_hash,
				input_visibility,
				royalty,
			});
			Ok(model)
		}

		/// What a new key of this origin is: accepted on development chains, pending, or refused.
		pub(crate) fn first_status(origin: KeyOrigin) -> Result<KeyStatus, DispatchError> {
			match origin {
				KeyOrigin::Development => {
					ensure!(DevelopmentKeys::<T>::get(), Error::<T>::DevelopmentKeyRefused);
					Ok(KeyStatus::Accepted)
				}
				KeyOrigin::Ceremony { .. } => Ok(KeyStatus::Pending),
			}
		}

		/// Decides on a model's key, and returns the model, or on a family. `unchanged` is the error where it has that
		/// status already.
		fn decide(
			key: KeyId,
			status: KeyStatus,
			unchanged: Error<T>,
		) -> Result<Option<ModelId>, DispatchError> {
			if let Some(mut record) = Keys::<T>::get(key) {
				ensure!(record.status != status, unchanged);
				record.status = status;
				let model = record.model;
				Keys::<T>::insert(key, record);
				return Ok(Some(model));
			}
			let mut record = Families::<T>::get(key).ok_or(Error::<T>::UnknownKey)?;
			ensure!(record.status != status, unchanged);
			record.status = status;
			Families::<T>::insert(key, record);
			Ok(None)
		}

		/// Removes a key's entries and gives its deposit back to the model's owner.
		fn drop_key(key: KeyId, model: ModelId, owner: &AccountId) -> DispatchResult {
			let record = Keys::<T>::take(key).ok_or(Error::<T>::UnknownKey)?;
			VerifyingKeys::<T>::remove(key);
			Self::release(HoldReason::KeyDeposit, owner, record.deposit)?;
			Self::deposit_event(Event::KeyRemoved { key, model });
			Ok(())
		}
	}

	impl<T: Config> ModelView for Pallet<T> {
		fn inference_terms(model: &ModelId) -> Option<InferenceTerms> {
			Self::inference_terms(*model)
		}

		fn verifying_key(key: &KeyId) -> Option<Vec<u8>> {
			Self::verifying_key(*key)
		}

		fn commitment(model: &ModelId) -> Option<CommitmentBytes> {
			Models::<T>::get(model)?.weights.commitment().copied()
		}

		fn begin_use(model: &ModelId) -> DispatchResult {
			Models::<T>::try_mutate(model, |record| {
				let record = record.as_mut().ok_or(Error::<T>::UnknownModel)?;
				record.open_uses = record.open_uses.checked_add(1).ok_or(Error::<T>::TooManyUses)?;
				Ok(())
			})
		}

		fn end_use(model: &ModelId) {
			Models::<T>::mutate_extant(model, |record| {
				record.open_uses = record.open_uses.saturating_sub(1)
			});
		}
	}

	#[cfg(any(test, feature = "runtime-benchmarks"))]
	impl<T: Config> opensand_primitives::models::BenchmarkModels for Pallet<T> {
		fn benchmark_model(
			owner: AccountId,
			architecture: Vec<u8>,
			input_visibility: InputVisibility,
			family: opensand_primitives::models::BenchmarkFamily,
		) -> ModelId {
			crate::benchmarking::insert_model::<T>(owner, architecture, input_visibility, family)
		}
	}
}
