//! Key families: registration and removal, and the activation of models with committed weights.

use frame_support::{ensure, traits::fungible::MutateHold};
use frame_system::pallet_prelude::BlockNumberFor;
use opensand_primitives::{
	models::{
		CommitmentBytes, FamilyRecord, KeyBytes, KeyStatus, ModelRecord, ModelWeights, RegistrationProof,
	},
	AccountId, ArchitectureId, KeyId, ModelId,
};
use opensand_zk_verifier::{
	verify, Binding, Proof, Statement, StatementShape, VerifyingKey, WeightsCommitment,
};
use sp_runtime::{traits::Zero, DispatchError, DispatchResult};

use crate::{
	Architectures, Config, Error, Event, Families, HoldReason, Pallet, RegistrationKeys, VerifyingKeys,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn store_family(
		depositor: AccountId,
		architecture: ArchitectureId,
		registration: KeyBytes,
		inference: KeyBytes,
	) -> DispatchResult {
		let mut parent = Architectures::<T>::get(architecture).ok_or(Error::<T>::UnknownArchitecture)?;
		let family = KeyId::from(sp_io::hashing::blake2_256(&inference));
		ensure!(!Families::<T>::contains_key(family), Error::<T>::FamilyExists);

		let decode =
			|bytes: &[u8]| VerifyingKey::from_bytes_with::<T::Curve>(bytes).map_err(Error::<T>::from);
		let (registers, infers) = (decode(&registration)?, decode(&inference)?);
		ensure!(infers.has_weights(), Error::<T>::ConstantWeights);
		ensure!(
			registers.registers_for(&infers) && registers.origin() == infers.origin(),
			Error::<T>::NotAFamily
		);
		let input_visibility = infers.shape().visibility;
		let expected = StatementShape {
			visibility: input_visibility,
			input_len: parent.input_len,
			output_len: parent.output_len,
		};
		ensure!(infers.shape() == expected, Error::<T>::WrongKeyShape);
		let origin = infers.origin();
		let status = Self::first_status(origin)?;
		parent.families = parent.families.checked_add(1).ok_or(Error::<T>::TooManyModels)?;

		let deposit = Self::deposit(3, registration.len().saturating_add(inference.len()));
		T::Currency::hold(&HoldReason::KeyDeposit.into(), &depositor, deposit)?;
		let registration_id = KeyId::from(registers.id());
		Architectures::<T>::insert(architecture, parent);
		Families::<T>::insert(
			family,
			FamilyRecord {
				depositor: depositor.clone(),
				architecture,
				input_visibility,
				registration: registration_id,
				status,
				origin,
				models: 0,
				deposit,
			},
		);
		VerifyingKeys::<T>::insert(family, inference);
		RegistrationKeys::<T>::insert(family, registration);
		Self::deposit_event(Event::FamilyRegistered {
			family,
			registration: registration_id,
			depositor,
			architecture,
			origin,
			status,
		});
		Ok(())
	}

	pub(crate) fn drop_family(who: &AccountId, family: KeyId) -> DispatchResult {
		let record = Families::<T>::get(family).ok_or(Error::<T>::UnknownFamily)?;
		ensure!(
			record.depositor == *who || record.status == KeyStatus::Rejected,
			Error::<T>::NotDepositor
		);
		ensure!(record.models == 0, Error::<T>::FamilyInUse);
		Self::release(HoldReason::KeyDeposit, &record.depositor, record.deposit)?;
		Architectures::<T>::mutate_extant(record.architecture, |architecture| {
			architecture.families = architecture.families.saturating_sub(1);
		});
		Families::<T>::remove(family);
		VerifyingKeys::<T>::remove(family);
		RegistrationKeys::<T>::remove(family);
		Self::deposit_event(Event::FamilyRemoved { family });
		Ok(())
	}

	/// The record of a family under which models can be registered and activated.
	pub(crate) fn accepted_family(family: &KeyId) -> Result<FamilyRecord, DispatchError> {
		let record = Families::<T>::get(family).ok_or(Error::<T>::UnknownFamily)?;
		ensure!(
			record.status == KeyStatus::Accepted,
			Error::<T>::FamilyNotAccepted
		);
		Ok(record)
	}

	/// The record of a model with `commitment` activated, if the proof registers it.
	pub(crate) fn activate(
		model: ModelId,
		record: ModelRecord,
		commitment: CommitmentBytes,
		proof: &RegistrationProof,
	) -> Result<ModelRecord, DispatchError> {
		let (previous, key) = match (&record.weights, record.key) {
			(ModelWeights::Committed { commitment, previous }, Some(key)) => {
				ensure!(commitment.is_none(), Error::<T>::AlreadyActivated);
				(*previous, key)
			}
			_ => return Err(Error::<T>::NothingToActivate.into()),
		};
		let family = Self::accepted_family(&key)?;
		let registration = RegistrationKeys::<T>::get(key).ok_or(Error::<T>::MissingKey)?;
		let registration =
			VerifyingKey::from_trusted_bytes(&registration).map_err(|_| Error::<T>::MissingKey)?;
		let weights =
			WeightsCommitment::from_bytes_with::<T::Curve>(&commitment).map_err(Error::<T>::from)?;
		let proof = Proof::from_bytes_with::<T::Curve>(proof).map_err(Error::<T>::from)?;
		let statement = Statement::registration(Binding {
			genesis: Self::genesis_hash(),
			key: family.registration.0,
			model: model.0,
			request: 0,
			worker: record.owner.clone().into(),
		});
		verify::<T::Curve>(&registration, &statement, Some(&weights), &proof)
			.map_err(|_| Error::<T>::InvalidRegistration)?;
		Ok(ModelRecord {
			weights: ModelWeights::Committed {
				commitment: Some(commitment),
				previous,
			},
			..record
		})
	}

	/// Hash of the chain's first block.
	pub(crate) fn genesis_hash() -> [u8; 32] {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).0
	}
}
